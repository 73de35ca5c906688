// What a downloader says about itself: for people, attributes and the talk socket (client.md §5.11, §9.4).
import type { DownloadCounters } from './counters.ts';
import type { Downloader } from './downloader.ts';
import type { Timeouts } from './sender.ts';
import type { Distance } from './server-chain.ts';

export interface ServerStatus {
  readonly url: string;
  /** Milliseconds where it was probed. */
  readonly distance: Distance;
  readonly active: boolean;
}

export interface ProxyStatus {
  /** With the address in place of the name, once that is known; or DIRECT. */
  readonly url: string;
  /** The host as it was named; undefined for DIRECT. */
  readonly host: string | undefined;
  /** Seconds until the name is resolved again; undefined for what needs no resolution. Negative: over. */
  readonly ttl: number | undefined;
  /** The name cannot be resolved. */
  readonly unresolved: boolean;
  readonly active: boolean;
}

export interface DownloaderStatus {
  /** The server in use; undefined when there is none. */
  readonly server: string | undefined;
  /** In their order; those that CVMFS_MAX_SERVERS leaves out are not among them. */
  readonly servers: readonly string[];
  readonly serverList: readonly ServerStatus[];
  /** The proxy in use, or DIRECT. */
  readonly proxy: string;
  readonly proxyGroups: readonly (readonly string[])[];
  readonly proxyList: readonly (readonly ProxyStatus[])[];
  /** Indices of the group in use and of the first fallback group; undefined: there are no fallback groups. */
  readonly activeGroup: number;
  readonly firstFallback: number | undefined;
  readonly timeouts: Timeouts;
  readonly nameServer: string | undefined;
  readonly counters: Readonly<DownloadCounters>;
}

export function statusOf(downloader: Downloader): DownloaderStatus {
  const now = performance.now();
  const { servers, proxies, sender, resolver } = downloader;
  const current = servers.servers.length > 0 ? servers.current(now) : undefined;
  const proxy = proxies.current(now);
  const { groups, firstFallback, active } = proxies.groups;
  const ttl = (expires: number) => (Number.isFinite(expires) ? Math.round((expires - now) / 1000) : undefined);
  return {
    server: current?.name,
    servers: servers.servers.map((server) => server.name),
    serverList: servers.servers.map((server) => ({
      url: server.name,
      distance: servers.distance(server),
      active: server === current,
    })),
    proxy: proxy.name,
    proxyGroups: groups.map((group) => group.map(({ name }) => name)),
    proxyList: groups.map((group) =>
      group.map((member) => ({
        url: member.name,
        host: member.endpoint?.host,
        ttl: member.unresolved === undefined ? ttl(proxies.expires(member)) : undefined,
        unresolved: member.unresolved !== undefined,
        active: member === proxy,
      })),
    ),
    activeGroup: active,
    firstFallback: firstFallback < groups.length ? firstFallback : undefined,
    timeouts: sender.timeouts,
    nameServer: resolver.server,
    counters: { ...downloader.counters() },
  };
}
