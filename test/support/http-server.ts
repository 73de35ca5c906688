// A real HTTP server over a directory for tests, which records what it is asked and misbehaves on demand.
// Also a forward proxy: requests in absolute form are passed on, CONNECT opens a tunnel.
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Fault {
  /** Answers with this status instead. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Body of the answer instead of the file's. */
  readonly body?: string | Buffer;
  /** Waits before answering, milliseconds. */
  readonly delay?: number;
  /** Never answers; or stops after this many bytes of the body. */
  readonly hang?: true | number;
  /** Resets the connection at once; or after this many bytes of the body. */
  readonly reset?: true | number;
  /** Announces the whole body, sends this many bytes, closes. */
  readonly truncate?: number;
  /** Changes the byte at this offset. */
  readonly corrupt?: number;
  /** Sends so many bytes at a time, with so many milliseconds in between. */
  readonly dribble?: { readonly bytes: number; readonly every: number };
  /** 'none': no Content-Length, the end is the end of the connection; 'chunked': chunked encoding. */
  readonly framing?: 'none' | 'chunked';
  /** Sends this body for ever. */
  readonly endless?: true;
}

export interface RecordedRequest {
  readonly method: string;
  /** As on the request line. */
  readonly target: string;
  /** Path and query only. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Number of the connection, counted from 1. */
  readonly connection: number;
}

export interface TestServerOptions {
  /** Directory that is served at `/`; without one only faults and the proxy answer. */
  readonly root?: string;
  /** Certificate and key: serves https. */
  readonly tls?: ServerOptions;
  /** False: answered with 403. */
  readonly admit?: (request: RecordedRequest) => boolean;
}

export class TestServer {
  readonly requests: RecordedRequest[] = [];
  /** Milliseconds before every answer: a distant server. */
  latency = 0;
  #root: string | undefined;
  #admit: (request: RecordedRequest) => boolean;
  #secure: boolean;
  #server: ReturnType<typeof createServer>;
  #faults: { pattern: RegExp; fault: Fault; left: number }[] = [];
  #sockets = new Map<Socket, number>();
  #connections = 0;

  private constructor(options: TestServerOptions) {
    this.#root = options.root;
    this.#admit = options.admit ?? (() => true);
    this.#secure = options.tls !== undefined;
    const handler = (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch(() => response.destroy());
    };
    this.#server = options.tls ? createSecureServer(options.tls, handler) : createServer(handler);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on(this.#secure ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#sockets.set(socket, ++this.#connections);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    this.#server.on('connect', (request: IncomingMessage, socket: Socket) => this.#tunnel(request, socket));
  }

  /** Listens on a free port or on `port` of `address`, a loopback one. */
  static async start(options: TestServerOptions = {}, port = 0, address = '127.0.0.1'): Promise<TestServer> {
    const server = new TestServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(port, address, () => resolve());
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Without a trailing slash. */
  get url(): string {
    const { address, family } = this.#server.address() as AddressInfo;
    return `${this.#secure ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${this.port}`;
  }

  /** Connections that were opened up to now. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Requests whose path matches get the fault, the next `times` of them. The latest matching fault wins. */
  fault(pattern: RegExp, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#faults.unshift({ pattern, fault, left: times });
  }

  clearFaults(): void {
    this.#faults = [];
  }

  /** Paths of recorded requests that match. */
  paths(pattern = /./): string[] {
    return this.requests.map((request) => request.path).filter((path) => pattern.test(path));
  }

  /** Cuts all open connections. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #record(request: IncomingMessage): RecordedRequest {
    const target = request.url ?? '';
    const path =
      target.startsWith('/') || request.method === 'CONNECT' ? target : target.replace(/^[a-z]+:\/\/[^/]*/i, '');
    const connection = this.#sockets.get(request.socket) ?? 0;
    const recorded = { method: request.method ?? '', target, path, headers: request.headers, connection };
    this.requests.push(recorded);
    return recorded;
  }

  #faultFor(path: string): Fault {
    const entry = this.#faults.find(({ pattern, left }) => left > 0 && pattern.test(path));
    if (!entry) return {};
    entry.left--;
    return entry.fault;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = this.#record(request);
    const { path, target } = recorded;
    const fault = this.#admit(recorded) ? this.#faultFor(path) : { status: 403 };
    const delay = this.latency + (fault.delay ?? 0);
    if (delay > 0) await sleep(delay);
    if (fault.hang === true) return;
    if (fault.reset === true) {
      reset(request.socket);
      return;
    }
    if (fault.endless) {
      await endless(response, fault);
      return;
    }
    if (!target.startsWith('/') && Object.keys(fault).length === 0) {
      forward(request, response);
      return;
    }
    await this.#send(request, response, path, fault);
  }

  async #send(request: IncomingMessage, response: ServerResponse, path: string, fault: Fault): Promise<void> {
    const file = this.#root === undefined ? undefined : fileBelow(this.#root, path);
    const found = file !== undefined && (await stat(file).catch(() => undefined))?.isFile();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (found && !range && Object.keys(fault).length === 0) {
      response.setHeader('content-length', (await stat(file)).size);
      createReadStream(file).pipe(response);
      return;
    }
    let status = fault.status ?? (fault.body !== undefined || found ? 200 : 404);
    let body = Buffer.from(fault.body ?? (found && status === 200 ? await readFile(file) : `status ${status}\n`));
    if (range && status === 200) {
      status = 206;
      body = body.subarray(Number(range[1]), Number(range[2]) + 1);
    }
    if (fault.corrupt !== undefined && body.length > 0) {
      body = Buffer.from(body);
      body[fault.corrupt % body.length] ^= 0xff;
    }
    const headers: Record<string, string> = { ...fault.headers };
    if (fault.framing === 'none') {
      // node:http would chunk it.
      response.useChunkedEncodingByDefault = false;
      headers.connection = 'close';
    } else if (fault.framing !== 'chunked') headers['content-length'] = String(body.length);
    response.writeHead(status, headers);
    await sendBody(request, response, body, fault);
  }

  #tunnel(request: IncomingMessage, socket: Socket): void {
    const { path } = this.#record(request);
    const { status, hang } = this.#faultFor(path);
    if (hang) return;
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} no\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const [, host, port] = /^(.*):(\d+)$/.exec(path) ?? [];
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  }
}

/** Escaped bytes need not be UTF-8. */
function fileBelow(root: string, path: string): Buffer {
  const bytes = path.split('?')[0].replace(/%([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number(`0x${hex}`)));
  return Buffer.concat([Buffer.from(root), Buffer.from(normalize(bytes), 'latin1')]);
}

async function sendBody(request: IncomingMessage, response: ServerResponse, body: Buffer, fault: Fault): Promise<void> {
  const stop = fault.truncate ?? (typeof fault.hang === 'number' ? fault.hang : fault.reset);
  if (typeof stop === 'number') {
    await new Promise<void>((resolve) => {
      response.flushHeaders();
      response.write(body.subarray(0, stop), () => resolve());
    });
    if (fault.truncate !== undefined) request.socket.end();
    else if (fault.reset !== undefined) reset(request.socket);
    return;
  }
  if (fault.dribble) {
    const { bytes, every } = fault.dribble;
    for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
      response.write(body.subarray(at, at + bytes));
      await sleep(every);
    }
    response.end();
    return;
  }
  response.end(body);
}

async function endless(response: ServerResponse, fault: Fault): Promise<void> {
  const block = Buffer.alloc(65536, fault.body ?? 'x');
  response.writeHead(200, { ...fault.headers });
  function* blocks() {
    for (;;) yield block;
  }
  await pipeline(blocks, response);
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const { port, raw } = { port: url.port || 80, raw: request.url as string };
  const path = raw.replace(/^http:\/\/[^/]*/i, '') || '/';
  const upstream = httpRequest({
    host,
    port,
    path,
    method: request.method,
    headers: { ...request.headers, host: url.host },
  });
  upstream.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.on('error', () => {
    response.writeHead(502, { 'content-length': '0', 'x-squid-error': 'ERR_CONNECT_FAIL 111' });
    response.end();
  });
  upstream.end();
}

function reset(socket: Socket): void {
  socket.resetAndDestroy();
}
