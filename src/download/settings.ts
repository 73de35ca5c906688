// What a downloader has to know; the names in comments are those of client.md §8.6.
import { readAuthorities } from './authorities.ts';

export interface DownloadSettings {
  /** Full base URLs (`http://`, `https://`, `file://`) in the order in which they are tried. CVMFS_SERVER_URL. */
  readonly servers: readonly string[];
  /** CVMFS_HTTP_PROXY: groups separated by `;`, members by `|`. */
  readonly proxies: string;
  /** CVMFS_FALLBACK_PROXY, same syntax; `DIRECT` in it is ignored. */
  readonly fallbackProxies: string;
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
  /** Seconds after which the first server, the first proxy group is tried again; 0 never. */
  readonly hostResetAfter: number;
  readonly proxyResetAfter: number;
  /** CVMFS_FOLLOW_REDIRECTS. */
  readonly followRedirects: boolean;
  /** Send the object's path in the header `cvmfs-info`. CVMFS_SEND_INFO_HEADER. */
  readonly sendInfoHeader: boolean;
  readonly maxConnections: number;
  readonly userAgent: string;
  /** Certificate authorities besides Node's, PEM; asked for at the first https connection. */
  readonly authorities: () => readonly string[];
  /** Told about fail-over, one line each. */
  readonly warn: (line: string) => void;
}

/** The values of default.conf; `proxies` is DIRECT. */
export const DEFAULT_SETTINGS: DownloadSettings = {
  servers: [],
  proxies: 'DIRECT',
  fallbackProxies: '',
  timeout: 5,
  timeoutDirect: 10,
  lowSpeedLimit: 1024,
  maxRetries: 1,
  backoffInit: 2,
  backoffMax: 10,
  hostResetAfter: 1800,
  proxyResetAfter: 300,
  followRedirects: false,
  sendInfoHeader: false,
  maxConnections: 16,
  userAgent: 'cvmfs Fuse 2.12.0',
  authorities: () => readAuthorities(process.env),
  warn: () => {},
};
