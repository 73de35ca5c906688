// What a downloader has to know; the names in comments are those of client.md §8.6.
import type { Caller } from '../objects/caller.ts';
import type { Credential } from './attempt.ts';
import { readAuthorities } from './authorities.ts';
import { DEFAULT_RESOLVER_SETTINGS, type ResolverSettings } from './dns/resolver.ts';

export interface DownloadSettings {
  /** Full base URLs (`http://`, `https://`, `file://`) in the order in which they are tried. CVMFS_SERVER_URL. */
  readonly servers: readonly string[];
  /** How many of them are used; 0: all. CVMFS_MAX_SERVERS. */
  readonly maxServers: number;
  /** Sort them by distance. CVMFS_USE_GEOAPI. */
  readonly useGeo: boolean;
  /** What the Geo-API is told in place of the proxy's name. CVMFS_PROXY_TEMPLATE. */
  readonly proxyTemplate: string;
  /** CVMFS_HTTP_PROXY: groups separated by `;`, members by `|`; the group `auto` is discovered. */
  readonly proxies: string;
  /** CVMFS_FALLBACK_PROXY, same syntax; `DIRECT` in it is ignored. */
  readonly fallbackProxies: string;
  /** Where to ask for the site's proxies. CVMFS_PAC_URLS. */
  readonly pacUrls: readonly string[];
  /** Never without a proxy where one is named, by whomever. CVMFS_PROXY_STRICT. */
  readonly proxyStrict: boolean;
  /** CVMFS_PROXY_SHARD. */
  readonly proxyShard: boolean;
  /** Of each proxy's name; 0: all. CVMFS_MAX_IPADDR_PER_PROXY. */
  readonly maxAddressesPerProxy: number;
  /** Seconds to connect, and of too little data, through a proxy. CVMFS_TIMEOUT. 0: 300 to connect, no low-speed limit. */
  readonly timeout: number;
  /** The same without a proxy. CVMFS_TIMEOUT_DIRECT. */
  readonly timeoutDirect: number;
  /** Bytes per second below which a transfer is given up. CVMFS_LOW_SPEED_LIMIT. */
  readonly lowSpeedLimit: number;
  /** Further tries at the same URL. CVMFS_MAX_RETRIES. */
  readonly maxRetries: number;
  /** Seconds. CVMFS_BACKOFF_INIT, CVMFS_BACKOFF_MAX. */
  readonly backoffInit: number;
  readonly backoffMax: number;
  /** Try all proxies again and again. CVMFS_FAILOVER_INDEFINITELY. */
  readonly failoverIndefinitely: boolean;
  /** Seconds after which the first server, the first proxy group is tried again; 0 never. */
  readonly hostResetAfter: number;
  readonly proxyResetAfter: number;
  /** CVMFS_FOLLOW_REDIRECTS. */
  readonly followRedirects: boolean;
  /** Send the object's path in the header `cvmfs-info`. CVMFS_SEND_INFO_HEADER. */
  readonly sendInfoHeader: boolean;
  /** Further header lines, with their ends, beside those about the caller; undefined: neither. CVMFS_HTTP_TRACING. */
  readonly tracing: string | undefined;
  /** On whose behalf something is fetched, as far as that is known. */
  readonly requester: () => Caller | undefined;
  /** For https servers that are not open to everybody (client.md §7.10). */
  readonly credential: () => Credential | undefined;
  /** Name resolution. CVMFS_DNS_*, CVMFS_IPFAMILY_PREFER. */
  readonly dns: ResolverSettings;
  readonly maxConnections: number;
  readonly userAgent: string;
  /** Certificate authorities besides Node's, PEM; asked for at the first https connection. */
  readonly authorities: () => readonly string[];
  /** Where what was found out about the network is kept, and the client's id: the cache's directory. */
  readonly stateDirectory: string | undefined;
  /** Tells repositories apart that share it. */
  readonly name: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Told about fail-over, one line each. */
  readonly warn: (line: string) => void;
}

/** The values of default.conf; `proxies` is DIRECT. */
export const DEFAULT_SETTINGS: DownloadSettings = {
  servers: [],
  maxServers: 0,
  useGeo: false,
  proxyTemplate: '',
  proxies: 'DIRECT',
  fallbackProxies: '',
  pacUrls: [],
  proxyStrict: false,
  proxyShard: false,
  maxAddressesPerProxy: 0,
  timeout: 5,
  timeoutDirect: 10,
  lowSpeedLimit: 1024,
  maxRetries: 1,
  backoffInit: 2,
  backoffMax: 10,
  failoverIndefinitely: false,
  hostResetAfter: 1800,
  proxyResetAfter: 300,
  followRedirects: false,
  sendInfoHeader: false,
  tracing: undefined,
  requester: () => undefined,
  credential: () => undefined,
  dns: DEFAULT_RESOLVER_SETTINGS,
  maxConnections: 16,
  userAgent: 'cvmfs Fuse 2.12.0',
  authorities: () => readAuthorities(process.env),
  stateDirectory: undefined,
  name: 'repository',
  environment: process.env,
  warn: () => {},
};
