// Downloads from the servers of one repository, through its proxies, with fail-over (client.md §7).
import { readableLabel } from '../objects/label.ts';
import type { TransferRequest, TransferSink, TransferSource } from '../objects/transfer.ts';
import { attemptHttp, type Target } from './attempt.ts';
import type { Limits } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { DownloadError } from './errors.ts';
import { Failover } from './failover.ts';
import { attemptFile } from './file-attempt.ts';
import { MemorySink } from './memory-sink.ts';
import { type ProxyChoice, ProxyGroups, parseProxyGroups } from './proxy-groups.ts';
import { type Server, ServerChain } from './server-chain.ts';
import { DEFAULT_SETTINGS, type DownloadSettings } from './settings.ts';
import { Throttle } from './throttle.ts';
import { escapeUrl, parseHttpUrl } from './url.ts';

export interface DownloaderStatus {
  /** The server in use; undefined when there is none. */
  readonly server: string | undefined;
  readonly servers: readonly string[];
  /** The proxy in use, or DIRECT. */
  readonly proxy: string;
  readonly proxyGroups: readonly (readonly string[])[];
}

const MAX_REDIRECTS = 4;
const DEFAULT_CONNECT_SECONDS = 300;

export class Downloader implements TransferSource {
  #settings: DownloadSettings;
  #servers: ServerChain;
  #proxies: ProxyGroups;
  #pool: ConnectionPool;
  #throttle = new Throttle();
  #limits: { readonly direct: Limits; readonly proxied: Limits };

  /** Throws DownloadError BAD_URL when a server or proxy is not usable. */
  constructor(settings: Partial<DownloadSettings> & Pick<DownloadSettings, 'servers'>) {
    const all = { ...DEFAULT_SETTINGS, ...settings };
    this.#settings = all;
    this.#servers = new ServerChain(all.servers, all.hostResetAfter);
    this.#proxies = new ProxyGroups(parseProxyGroups(all.proxies, all.fallbackProxies), {
      resetAfter: all.proxyResetAfter,
    });
    this.#pool = new ConnectionPool(all.maxConnections, all.authorities);
    this.#limits = { direct: limitsOf(all.timeoutDirect, all), proxied: limitsOf(all.timeout, all) };
  }

  /** Small things that are not content-addressed, such as the manifest. `limit`: bytes; longer ones are refused. */
  async file(path: string, limit: number): Promise<Buffer> {
    const sink = new MemorySink(limit);
    await this.transfer({ path, label: path.replace(/^\/+/, '') }, sink);
    return sink.take();
  }

  async transfer(request: TransferRequest, sink: TransferSink): Promise<void> {
    if (this.#servers.servers.length === 0) {
      throw new DownloadError(
        'BAD_URL',
        `cannot download ${readableLabel(request.label)}: no server is configured for it`,
      );
    }
    const { maxRetries, backoffInit, backoffMax } = this.#settings;
    const counts = { hosts: this.#servers.servers.length, proxies: this.#proxies.total };
    const failover = new Failover({ ...counts, maxRetries, backoffInit, backoffMax });
    const tried = new Map<string, string>();
    for (;;) {
      const now = performance.now();
      const server = this.#servers.current(now);
      const proxy = this.#proxies.current(now);
      try {
        return await this.#attempt(request, server, proxy, failover.noCache, sink);
      } catch (error) {
        const failure = error as DownloadError;
        const through = server.directory !== undefined || !proxy.endpoint ? '' : ` through ${proxy.name}`;
        tried.set(server.name + through, failure.message);
        const step = failover.next(failure.code);
        if (step.kind === 'give-up') throw await this.#giveUp(request, failure, tried);
        if (step.kind !== 'again') this.#move(step.kind, server, proxy, failure);
        // When another request has left this server or proxy meanwhile there is nothing to wait for.
        else if (step.delay > 0 && this.#inUse(server, proxy)) await sleep(step.delay);
      }
    }
  }

  status(): DownloaderStatus {
    const now = performance.now();
    return {
      server: this.#servers.current(now)?.name,
      servers: this.#servers.servers.map((server) => server.name),
      proxy: this.#proxies.current(now).name,
      proxyGroups: this.#proxies.groups.map((group) => group.map((proxy) => proxy.name)),
    };
  }

  /** Goes on to the next server, after this one delivered what cannot be verified. False: there is only one. */
  switchServer(): boolean {
    const now = performance.now();
    return this.#servers.leave(this.#servers.current(now), now);
  }

  /** Closes all connections; transfers in progress fail. */
  close(): void {
    this.#pool.close();
  }

  async #attempt(
    request: TransferRequest,
    server: Server,
    proxy: ProxyChoice,
    noCache: boolean,
    sink: TransferSink,
  ): Promise<void> {
    const limits = proxy.endpoint ? this.#limits.proxied : this.#limits.direct;
    if (server.directory !== undefined) {
      return attemptFile(
        { path: pathBytes(server.directory, request.path), range: request.range, slow: this.#limits.direct.slow },
        sink,
      );
    }
    const { followRedirects } = this.#settings;
    let target: Target = {
      server: server.endpoint,
      proxy: proxy.endpoint,
      path: request.path,
      headers: this.#headers(request, noCache),
      urgent: request.urgent ?? true,
    };
    for (let redirects = 0; ; redirects++) {
      const redirect = await attemptHttp(this.#pool, target, limits, sink, followRedirects);
      if (!redirect) return;
      if (redirects === MAX_REDIRECTS)
        throw new DownloadError('HOST_CONNECTION', `more than ${MAX_REDIRECTS} redirects`);
      target = redirected(target, redirect.location);
    }
  }

  #headers(request: TransferRequest, noCache: boolean): string {
    const { userAgent, sendInfoHeader } = this.#settings;
    let headers = `User-Agent: ${userAgent}\r\n`;
    if (sendInfoHeader) headers += `cvmfs-info: ${escapeUrl(request.label, 'latin1')}\r\n`;
    if (noCache) headers += 'Pragma: no-cache\r\nCache-Control: no-cache\r\n';
    if (request.range) {
      const { offset, length } = request.range;
      headers += `Range: bytes=${offset}-${offset + length - 1}\r\n`;
    }
    return headers;
  }

  #inUse(server: Server, proxy: ProxyChoice): boolean {
    const now = performance.now();
    return this.#servers.current(now) === server && this.#proxies.current(now) === proxy;
  }

  #move(kind: 'host' | 'proxy' | 'proxies-and-host', server: Server, proxy: ProxyChoice, failure: DownloadError): void {
    const now = performance.now();
    if (kind === 'proxies-and-host') this.#proxies.restart();
    const moved = kind === 'proxy' ? this.#proxies.leave(proxy, now) : this.#servers.leave(server, now);
    if (!moved) return;
    const [from, to] = kind === 'proxy' ? [proxy, this.#proxies.current(now)] : [server, this.#servers.current(now)];
    this.#settings.warn(`switching from ${from.name} to ${to.name}: ${failure.message}`);
  }

  async #giveUp(
    request: TransferRequest,
    failure: DownloadError,
    tried: ReadonlyMap<string, string>,
  ): Promise<DownloadError> {
    if (failure.code !== 'CANCELED' && failure.code !== 'LOCAL_IO') await sleep(this.#throttle.next(performance.now()));
    const reasons = [...tried].map(([where, what]) => `${where}: ${what}`).join('; ');
    return new DownloadError(
      failure.code,
      `cannot download ${readableLabel(request.label)}: ${reasons}${advice(failure)}`,
      {
        cause: failure,
        status: failure.status,
      },
    );
  }
}

function limitsOf(seconds: number, settings: DownloadSettings): Limits {
  return {
    connect: (seconds || DEFAULT_CONNECT_SECONDS) * 1000,
    slow: (seconds || Number.POSITIVE_INFINITY) * 1000,
    minimumRate: settings.lowSpeedLimit,
  };
}

function redirected(target: Target, location: string): Target {
  let url: URL;
  try {
    const { secure, authority, path } = target.server;
    const base = target.escaped ? target.path : escapeUrl(path) + escapeUrl(target.path, 'latin1');
    url = new URL(location, `${secure ? 'https' : 'http'}://${authority}${base}`);
  } catch (error) {
    throw new DownloadError('HOST_HTTP', 'redirect to something that is not a URL', { cause: error });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new DownloadError('HOST_HTTP', `redirect to ${url.protocol} is not followed`);
  }
  return { ...target, server: parseHttpUrl(url.origin), path: url.pathname + url.search, escaped: true };
}

function advice(failure: DownloadError): string {
  switch (failure.code) {
    case 'PROXY_RESOLVE':
    case 'PROXY_CONNECTION':
    case 'PROXY_TOO_SLOW':
    case 'PROXY_SHORT':
    case 'PROXY_HTTP':
      return ' (check CVMFS_HTTP_PROXY and the proxy)';
    case 'HOST_RESOLVE':
    case 'HOST_CONNECTION':
    case 'HOST_TOO_SLOW':
    case 'HOST_SHORT':
      return ' (check CVMFS_SERVER_URL, CVMFS_HTTP_PROXY and the network)';
    case 'HOST_HTTP':
      return ' (check CVMFS_SERVER_URL)';
    case 'BAD_DATA':
      return ' (the servers or a proxy deliver damaged data)';
    default:
      return '';
  }
}

/** A directory's name is text, what is below it are bytes. */
function pathBytes(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from(path, 'latin1')]);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
