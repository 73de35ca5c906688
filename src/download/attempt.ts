// One try at one URL: sends the request, judges the status (client.md §7.3), passes the body on.
import { CorruptTransfer, type TransferSink } from '../objects/transfer.ts';
import type { Connection, ExchangeReceiver, Limits } from './connection.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { DownloadError, type FailureCode } from './errors.ts';
import type { ResponseHead } from './response-head.ts';
import { type Route, routeTo } from './route.ts';
import { type Endpoint, escapeUrl } from './url.ts';

export interface Target {
  readonly server: Endpoint;
  readonly proxy: Endpoint | undefined;
  /** Path on the server: Latin-1 and unescaped, unless it came from a redirect. */
  readonly path: string;
  readonly escaped?: boolean;
  /** Header lines, each with its line end. */
  readonly headers: string;
  readonly urgent: boolean;
  /** For https only; replaces what the URL has. */
  readonly credential?: Credential | undefined;
}

/** What a server that is not open to everybody is shown (client.md §7.10). */
export interface Credential {
  /** PEM of certificates and key. */
  readonly certificate?: string;
  readonly bearerToken?: string;
}

/** Counts what arrives. */
export interface Meter {
  /** Of bodies, error pages left out. */
  bytes: number;
}

/** How much of an error page is read so that the connection can be kept, in bytes. */
const MAX_ERROR_PAGE = 65536;

/** A redirect that came instead of a body. */
export interface Redirect {
  readonly location: string;
}

/** Runs the request. Resolves to undefined when the sink has everything, or to a redirect. Rejects with DownloadError. */
export async function attemptHttp(
  pool: ConnectionPool,
  target: Target,
  limits: Limits,
  sink: TransferSink,
  followRedirects: boolean,
  meter: Meter,
): Promise<Redirect | undefined> {
  const { server, proxy } = target;
  const route = routeTo(server, proxy, target.credential?.certificate);
  const request = requestHead(target, route);
  for (let fresh = false; ; fresh = true) {
    try {
      const acquired = pool.acquire(route, limits, target.urgent, fresh);
      const connection = 'then' in acquired ? await acquired : acquired;
      return await new Exchange(connection, pool, sink, proxy !== undefined, followRedirects, meter).run(request);
    } catch (error) {
      sink.abort();
      // A kept connection that the server had given up: not the server's failure, and never twice.
      if (error instanceof ConnectionFailure && error.stale && !fresh) continue;
      throw classify(error, proxy !== undefined);
    }
  }
}

function requestHead(target: Target, route: Route): string {
  const { server, proxy, path } = target;
  const escaped = target.escaped ? path : escapeUrl(server.path) + escapeUrl(path, 'latin1');
  const absolute = proxy && !route.tunnel ? `${server.secure ? 'https' : 'http'}://${server.authority}` : '';
  let head = `GET ${absolute}${escaped || '/'} HTTP/1.1\r\nHost: ${server.authority}\r\nConnection: Keep-Alive\r\n`;
  const token = server.secure ? target.credential?.bearerToken : undefined;
  if (token !== undefined) head += `Authorization: Bearer ${token}\r\n`;
  else if (server.credentials !== undefined) head += `Authorization: ${server.credentials}\r\n`;
  if (absolute && proxy?.credentials !== undefined) head += `Proxy-Authorization: ${proxy.credentials}\r\n`;
  return `${head}${target.headers}\r\n`;
}

class Exchange implements ExchangeReceiver {
  #connection: Connection;
  #pool: ConnectionPool;
  #sink: TransferSink;
  #proxied: boolean;
  #followRedirects: boolean;
  #meter: Meter;
  #refusal: DownloadError | undefined;
  #redirect: Redirect | undefined;
  #skipped = 0;
  #over = false;
  #resolve: (redirect: Redirect | undefined) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(
    connection: Connection,
    pool: ConnectionPool,
    sink: TransferSink,
    proxied: boolean,
    followRedirects: boolean,
    meter: Meter,
  ) {
    this.#connection = connection;
    this.#pool = pool;
    this.#sink = sink;
    this.#proxied = proxied;
    this.#followRedirects = followRedirects;
    this.#meter = meter;
  }

  run(request: string): Promise<Redirect | undefined> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#connection.exchange(request, this);
    });
  }

  head(head: ResponseHead): void {
    const { status, headers, framing } = head;
    if (status >= 200 && status < 300) {
      this.#sink.begin({
        length: framing.kind === 'length' ? framing.length : undefined,
        resume: () => {
          if (!this.#over) this.#connection.resume();
        },
        fail: (error) => {
          if (!this.#over) this.#connection.destroy(error);
        },
      });
      return;
    }
    const location = headers.get('location');
    if (this.#followRedirects && location && [301, 302, 303, 307, 308].includes(status)) this.#redirect = { location };
    else this.#refusal = new DownloadError(refusalCode(head, this.#proxied), `HTTP ${status}`, { status });
  }

  body(bytes: Buffer): void {
    if (this.#over) return;
    if (this.#refusal || this.#redirect) {
      this.#skipped += bytes.length;
      // Reading on would cost more than a new connection.
      if (this.#skipped > MAX_ERROR_PAGE) {
        this.end();
        this.#connection.destroy();
      }
      return;
    }
    this.#meter.bytes += bytes.length;
    if (!this.#sink.write(bytes)) this.#connection.pause();
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pool.release(this.#connection);
    if (this.#refusal) this.#reject(this.#refusal);
    else if (this.#redirect) this.#resolve(this.#redirect);
    else this.#endSink();
  }

  #endSink(): void {
    try {
      const ending = this.#sink.end();
      if (ending) ending.then(() => this.#resolve(undefined), this.#reject);
      else this.#resolve(undefined);
    } catch (error) {
      this.#reject(error);
    }
  }

  failed(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#reject(this.#refusal ?? error);
  }
}

function refusalCode({ status, headers }: ResponseHead, proxied: boolean): FailureCode {
  if (status === 429) return 'HOST_CONNECTION';
  const ofHost = status >= 500 || status === 400 || status === 404 || (status >= 300 && status < 400);
  if (!ofHost) return proxied ? 'PROXY_HTTP' : 'HOST_HTTP';
  const byProxy = headers.has('x-squid-error') || headers.get('proxy-status')?.includes('error=');
  return proxied && byProxy ? 'PROXY_HTTP' : 'HOST_HTTP';
}

/** Puts a failure into the terms of client.md §7.4. */
function classify(error: unknown, proxied: boolean): DownloadError {
  if (error instanceof DownloadError) return error;
  if (error instanceof CorruptTransfer) return new DownloadError('BAD_DATA', error.message, { cause: error });
  const side = proxied ? 'PROXY' : 'HOST';
  if (error instanceof ConnectionFailure) {
    if (error.phase === 'tls') return new DownloadError('HOST_CONNECTION', error.message, { cause: error });
    const where = proxied ? `proxy: ${error.message}` : error.message;
    if (error.kind !== 'error') {
      return new DownloadError(`${side}_TOO_SLOW`, where, { cause: error, trickled: error.kind === 'trickle' });
    }
    const reason = { resolve: 'RESOLVE', connect: 'CONNECTION', response: 'SHORT', body: 'SHORT' } as const;
    return new DownloadError(`${side}_${reason[error.phase]}`, where, { cause: error });
  }
  const message = (error as Error).message;
  return new DownloadError(message === 'closed' ? 'CANCELED' : 'LOCAL_IO', message, { cause: error });
}
