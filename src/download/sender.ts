// One try at one server through one proxy, redirects followed: what the fail-over, probes and the Geo-API share.
import type { TransferRequest, TransferSink } from '../objects/transfer.ts';
import { attemptHttp, type Credential, type Target } from './attempt.ts';
import type { Limits } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { DownloadCounters } from './counters.ts';
import type { Resolver } from './dns/resolver.ts';
import { DownloadError } from './errors.ts';
import { attemptFile } from './file-attempt.ts';
import { MemorySink } from './memory-sink.ts';
import type { ProxyChoice } from './proxy-list.ts';
import { requestHeaders } from './request-headers.ts';
import type { Server } from './server-chain.ts';
import type { DownloadSettings } from './settings.ts';
import { escapeUrl, parseHttpUrl } from './url.ts';

/** In seconds; 0: none (client.md §7.7). */
export interface Timeouts {
  readonly proxied: number;
  readonly direct: number;
}

export interface Attempt {
  readonly server: Server;
  readonly proxy: ProxyChoice;
  /** Ask caches on the way for fresh data. */
  readonly noCache?: boolean;
  /** Few bytes are better than none. */
  readonly patient?: boolean;
}

export const DIRECT: ProxyChoice = { name: 'DIRECT', endpoint: undefined };

const MAX_REDIRECTS = 4;
const DEFAULT_CONNECT_SECONDS = 300;

export class Sender {
  readonly #settings: DownloadSettings;
  readonly #pool: ConnectionPool;
  readonly #counters: DownloadCounters;
  #timeouts: Timeouts;
  #limits: { readonly direct: Limits; readonly proxied: Limits };
  #patient: { readonly direct: Limits; readonly proxied: Limits };

  constructor(settings: DownloadSettings, resolver: Resolver, counters: DownloadCounters) {
    this.#settings = settings;
    this.#counters = counters;
    this.#pool = new ConnectionPool(settings.maxConnections, {
      authorities: settings.authorities,
      lookup: resolver.lookup,
    });
    this.#timeouts = { proxied: settings.timeout, direct: settings.timeoutDirect };
    [this.#limits, this.#patient] = bothLimits(this.#timeouts, settings.lowSpeedLimit);
  }

  get timeouts(): Timeouts {
    return this.#timeouts;
  }

  /** For attempts that begin from now on. */
  set timeouts(timeouts: Timeouts) {
    this.#timeouts = timeouts;
    [this.#limits, this.#patient] = bothLimits(timeouts, this.#settings.lowSpeedLimit);
  }

  /** Rejects with DownloadError. */
  async send(request: TransferRequest, attempt: Attempt, sink: TransferSink): Promise<void> {
    const { server, proxy, noCache = false, patient = false } = attempt;
    const limits = (patient ? this.#patient : this.#limits)[proxy.endpoint ? 'proxied' : 'direct'];
    const { path, range } = request;
    if (server.directory !== undefined) {
      const file = { path: pathBytes(server.directory, path), range, slow: limits.slow };
      return attemptFile(file, sink, this.#counters);
    }
    if (proxy.unresolved !== undefined) throw new DownloadError('PROXY_RESOLVE', `proxy: ${proxy.unresolved}`);
    const { followRedirects, credential } = this.#settings;
    const { endpoint } = server;
    let target: Target = {
      server: endpoint,
      proxy: proxy.endpoint,
      path,
      headers: requestHeaders(request, noCache, this.#settings),
      urgent: request.urgent ?? true,
      credential: endpoint.secure ? credential() : undefined,
    };
    for (let redirects = 0; ; redirects++) {
      const redirect = await attemptHttp(this.#pool, target, limits, sink, followRedirects, this.#counters);
      if (!redirect) return;
      if (redirects === MAX_REDIRECTS) {
        throw new DownloadError('HOST_CONNECTION', `more than ${MAX_REDIRECTS} redirects`);
      }
      target = redirected(target, redirect.location);
    }
  }

  /** A small file by a single attempt. `limit`: bytes. `seconds`: for the whole of it, however steadily it comes. */
  async fetch(path: string, limit: number, attempt: Attempt, seconds?: number): Promise<Buffer> {
    const sink = new MemorySink(limit);
    const late = new DownloadError('HOST_TOO_SLOW', `not complete within ${seconds} s`);
    const timer = seconds === undefined ? undefined : setTimeout(() => sink.fail(late), seconds * 1000);
    try {
      await this.send({ path, label: path.replace(/^\/+/, '') }, attempt, sink);
    } finally {
      clearTimeout(timer);
    }
    return sink.take();
  }

  /** Closes all connections; attempts in progress fail. */
  close(): void {
    this.#pool.close();
  }
}

function bothLimits({ proxied, direct }: Timeouts, rate: number) {
  const limits = (minimumRate: number) => ({
    direct: limitsOf(direct, minimumRate),
    proxied: limitsOf(proxied, minimumRate),
  });
  return [limits(rate), limits(0)] as const;
}

function limitsOf(seconds: number, minimumRate: number): Limits {
  return {
    connect: (seconds || DEFAULT_CONNECT_SECONDS) * 1000,
    slow: (seconds || Number.POSITIVE_INFINITY) * 1000,
    minimumRate,
  };
}

function redirected(target: Target, location: string): Target {
  let url: URL;
  const { secure, authority, path } = target.server;
  const origin = `${secure ? 'https' : 'http'}://${authority}`;
  try {
    const base = target.escaped ? target.path : escapeUrl(path) + escapeUrl(target.path, 'latin1');
    url = new URL(location, origin + base);
  } catch (error) {
    throw new DownloadError('HOST_HTTP', 'redirect to something that is not a URL', { cause: error });
  }
  if (!/^https?:$/.test(url.protocol) || url.port === '0') {
    const where = url.port === '0' ? 'port 0' : url.protocol;
    throw new DownloadError('HOST_HTTP', `redirect to ${where} is not followed`);
  }
  const server = parseHttpUrl(url.origin);
  // What proves who somebody is goes to the server it is meant for, and to no other.
  const credential: Credential | undefined = url.origin === origin ? target.credential : undefined;
  return { ...target, server, path: url.pathname + url.search, escaped: true, credential };
}

/** A directory's name is text, what is below it are bytes. */
function pathBytes(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from(path, 'latin1')]);
}
