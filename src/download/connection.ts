// One keep-alive HTTP/1.1 connection to a server or a proxy: one request at a time, every wait bounded.
//
// Not node:http: a request made here costs a third of its processor time and half its latency, and the time-outs and
// the reasons of failures are exactly those of client.md §7.4 and §7.7. The socket reads into one buffer of ours.
import type { OnReadOpts, Socket } from 'node:net';
import { ConnectionFailure, describeFailure, type Phase } from './connection-failure.ts';
import type { ResponseHead } from './response-head.ts';
import { ProtocolError, ResponseParser, type ResponseReceiver } from './response-parser.ts';
import { type Dialing, openSocket, openTunnel, type Route, secureSocket } from './route.ts';

export interface Limits {
  /** Milliseconds; Infinity: none. */
  readonly connect: number;
  /** Milliseconds without a byte, or below `minimumRate` on average. */
  readonly slow: number;
  /** Bytes per second. */
  readonly minimumRate: number;
}

export interface ExchangeReceiver extends ResponseReceiver {
  /** Called once instead of `end`; the connection is closed. */
  failed(error: Error): void;
}

const READ_BUFFER_BYTES = 65536;
const IDLE_MS = 60_000;

export class Connection {
  readonly route: Route;
  #limits: Limits;
  #onClosed: (connection: Connection) => void;
  #socket: Socket | undefined;
  #ready = false;
  #claimed = false;
  #tunnelled = false;
  /** The name server has not answered yet. */
  #resolving: boolean;
  #closed = false;
  #queued: string | undefined;
  #parser: ResponseParser | undefined;
  #receiver: ExchangeReceiver | undefined;
  #exchanges = 0;
  #keepAlive = true;
  #paused = false;
  /** Times in milliseconds of performance.now(). */
  #since: number;
  #lastByte = 0;
  #windowBytes = 0;

  constructor(route: Route, limits: Limits, dialing: Dialing, onClosed: (connection: Connection) => void) {
    this.route = route;
    this.#limits = limits;
    this.#onClosed = onClosed;
    this.#since = performance.now();
    this.#resolving = process.getBuiltinModule('node:net').isIP(route.host) === 0;
    const failed = (error: Error) => this.#fail(error);
    if (route.tunnel) {
      openTunnel(route, dialing, (raw) => this.#watch(raw)).then((raw) => this.#secure(raw, dialing), failed);
      return;
    }
    const onread = { buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES), callback: this.#onRead };
    if (route.secure) this.#secure(undefined, dialing);
    else this.#open(onread, dialing);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** May take another request, and nobody has claimed it for one. */
  get reusable(): boolean {
    return !this.#closed && this.#keepAlive && !this.#claimed;
  }

  /** Keeps others from using it until the next exchange is over, which has these limits. */
  claim(limits: Limits): this {
    this.#claimed = true;
    this.#limits = limits;
    return this;
  }

  /** Sends a request (complete head, latin1) and hands the response to the receiver. One at a time. */
  exchange(request: string, receiver: ExchangeReceiver): void {
    if (this.#closed) {
      receiver.failed(new ConnectionFailure('response', 'error', 'connection closed without an answer', true));
      return;
    }
    this.#receiver = receiver;
    this.#parser = new ResponseParser({
      head: (head) => this.#head(head),
      body: (bytes) => receiver.body(bytes),
      end: () => this.#finish(),
    });
    this.#exchanges++;
    if (!this.#ready) {
      this.#queued = request;
      return;
    }
    if (this.#exchanges > 1) this.#socket?.ref();
    this.#send(request);
  }

  /** Stops reading until `resume`; the time does not count as slow. */
  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#since = performance.now();
    this.#lastByte = this.#since;
    this.#windowBytes = 0;
    this.#socket?.resume();
  }

  /** Called several times in a time-out: gives up what takes too long. `lost`: milliseconds that do not count. */
  check(now: number, lost: number): void {
    if (this.#closed || this.#paused) return;
    this.#since += lost;
    this.#lastByte += lost;
    const { connect, slow, minimumRate } = this.#limits;
    if (!this.#ready) {
      if (now - this.#since <= connect) return;
      if (this.#resolving) {
        this.destroy(new ConnectionFailure('resolve', 'error', 'name server does not answer', false));
      } else {
        this.#slow(`no connection within ${connect / 1000} s`);
      }
    } else if (!this.#receiver) {
      if (now - this.#since > IDLE_MS) this.destroy();
    } else if (now - this.#lastByte > slow) {
      this.#slow(`no data for ${slow / 1000} s`);
    } else if (now - this.#since > slow) {
      const rate = (this.#windowBytes * 1000) / (now - this.#since);
      if (rate < minimumRate) this.#slow(`less than ${minimumRate} bytes/s for ${slow / 1000} s`, 'trickle');
      this.#since = now;
      this.#windowBytes = 0;
    }
  }

  /** Closes; a request in progress fails with `error`. */
  destroy(error = new Error('closed')): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket?.destroy();
    this.#onClosed(this);
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.failed(error);
  }

  #open(onread: OnReadOpts, dialing: Dialing): void {
    const socket = openSocket(this.route, dialing, { onread });
    this.#watch(socket);
    socket.once('connect', () => this.#connected(socket));
  }

  #secure(raw: Socket | undefined, dialing: Dialing): void {
    this.#tunnelled = raw !== undefined;
    let socket: Socket;
    try {
      socket = secureSocket(this.route, raw, dialing);
    } catch (error) {
      // A certificate that is none. Not before there is somebody to tell.
      setImmediate(() => this.#fail(error as Error));
      return;
    }
    this.#watch(socket);
    socket.once('secureConnect', () => this.#connected(socket));
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  #watch(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => this.#fail(error));
    socket.on('lookup', () => {
      this.#resolving = false;
    });
    if (this.#closed) {
      socket.destroy();
      return;
    }
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#ended());
  }

  #connected(socket: Socket): void {
    if (this.#closed) return;
    this.#socket = socket;
    this.#ready = true;
    const request = this.#queued;
    this.#queued = undefined;
    if (request !== undefined) this.#send(request);
    else this.#since = performance.now();
  }

  #send(request: string): void {
    this.#since = performance.now();
    this.#lastByte = this.#since;
    this.#windowBytes = 0;
    this.#socket?.write(request, 'latin1');
  }

  readonly #onRead = (count: number, buffer: Uint8Array): boolean => {
    this.#receive((buffer as Buffer).subarray(0, count));
    return !this.#paused;
  };

  #receive(bytes: Buffer): void {
    const parser = this.#parser;
    if (!parser || !this.#receiver) {
      // Nobody asked: whatever it is, the next answer could not be told from it.
      this.destroy();
      return;
    }
    this.#lastByte = performance.now();
    this.#windowBytes += bytes.length;
    let used: number;
    try {
      used = parser.push(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) this.#fail(error);
      else this.destroy(error as Error);
      return;
    }
    if (used < bytes.length) this.destroy();
  }

  #head(head: ResponseHead): void {
    this.#keepAlive = head.keepAlive && this.route.clientCertificate === undefined;
    this.#receiver?.head(head);
  }

  #finish(): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    this.#receiver = undefined;
    this.#parser = undefined;
    this.#claimed = false;
    this.resume();
    if (this.#keepAlive) {
      // An idle connection keeps no process alive.
      this.#socket?.unref();
      this.#since = performance.now();
    } else {
      this.destroy();
    }
    receiver.end();
  }

  #slow(message: string, kind: 'slow' | 'trickle' = 'slow'): void {
    this.destroy(new ConnectionFailure(this.#phase(), kind, message, false));
  }

  #ended(): void {
    if (this.#closed) return;
    if (this.#ready && this.#parser?.close()) {
      this.destroy();
      return;
    }
    this.#fail(
      new Error(
        this.#parser?.started ? 'connection closed in the middle of the answer' : 'connection closed without an answer',
      ),
    );
  }

  #fail(error: Error): void {
    if (error instanceof ConnectionFailure) {
      this.destroy(error);
      return;
    }
    const stale = this.#exchanges > 1 && !this.#parser?.started;
    this.destroy(new ConnectionFailure(this.#phase(error), 'error', describeFailure(error), stale, error));
  }

  #phase(error?: Error): Phase {
    if (this.#ready) return this.#parser?.started ? 'body' : 'response';
    if (error && 'syscall' in error) return error.syscall === 'getaddrinfo' ? 'resolve' : 'connect';
    return this.#tunnelled ? 'tls' : 'connect';
  }
}
