// The protocol between one mount and its file system: takes requests from a buffer, gives replies to a transport. Knows no descriptor.

import { timeout } from './attributes.ts';
import type { Context } from './context.ts';
import { describeReply, describeRequest } from './debug.ts';
import { DirectoryWriter } from './directory.ts';
import { EINTR, EINVAL, EIO, ENOSYS, ESTALE, isErrno } from './errno.ts';
import { isBeingKilled } from './fatal-signal.ts';
import { HANDLERS } from './handlers.ts';
import { InitFlag, LARGEST_REQUEST_BYTES, type Negotiated, negotiate } from './init.ts';
import { KernelLocks } from './kernel-locks.ts';
import { Opcode } from './opcodes.ts';
import { type Caller, Errno, type Operations, Pending } from './operations.ts';
import { PendingRequests, type Waiting } from './pending.ts';
import { Reply } from './reply.ts';
import { BODY, HEADER_BYTES, Request } from './request.ts';

export interface ConnectionOptions {
  operations: Operations;
  /** OPEN and OPENDIR are asked of the file system; otherwise the kernel opens by itself where it may. */
  answerOpen: boolean;
  /** The mount has `ro` and `default_permissions`. Without them opening is never left to the kernel: it would allow everything. */
  readOnlyMount: boolean;
  /** Lists of extended attributes are shown; otherwise no program finds an attribute that it does not know by name. */
  listXattr: boolean;
  /** Seconds for which the kernel may keep a name, or that there is none. */
  entryTimeout: number;
  /** Seconds for which the kernel may keep attributes. */
  attributeTimeout: number;
  /** Seconds after which a request that is still Pending fails. Default 600. */
  pendingLimit?: number;
  /** Gets one line for every request and every reply. */
  debug?: (line: string) => void;
  /** Told of every request that failed otherwise than by Errno. */
  onError?: (request: string, reason: unknown) => void;
  /** Told how long each request took that was answered. */
  onAnswered?: (opcode: number, milliseconds: number) => void;
  /** Told of every reply that says EIO. */
  onIoError?: () => void;
  /** INIT was answered by a server that is gone: it does not come again. */
  negotiated?: Negotiated;
  /** Told what was agreed before the kernel is: for the server that comes after this one. */
  onAgreed?: (negotiated: Negotiated) => void;
  /**
   * Called when a notification has to wait in the kernel, and what it gives when that is through. A server that is killed in between cannot
   * end before another one answers on the same descriptor.
   */
  onBlocked?: () => () => void;
}

export interface Transport {
  /** Hands one whole reply to the kernel, synchronously; throws if it was refused. */
  write(bytes: Uint8Array, length: number): void;
}

const DEFAULT_PENDING_LIMIT = 600;

export class Connection {
  /** The device puts one request into this buffer, then calls `receive`. */
  readonly request = new Request(LARGEST_REQUEST_BYTES);
  /** Resolves once the kernel and this side agree. */
  readonly ready: Promise<Negotiated>;
  /** For whoever writes notifications. */
  readonly locks: KernelLocks;
  readonly #options: ConnectionOptions;
  readonly #transport: Transport;
  readonly #reply = new Reply();
  readonly #context: Context;
  /** Of the request that is being answered. */
  readonly caller: Caller;
  readonly #pending: PendingRequests;
  #resolveReady!: (negotiated: Negotiated) => void;
  #ended = false;

  constructor(options: ConnectionOptions, transport: Transport) {
    this.#options = options;
    this.#transport = transport;
    this.caller = { uid: 0, gid: 0, pid: 0 };
    const entryTimeout = timeout(options.entryTimeout);
    const attributeTimeout = timeout(options.attributeTimeout);
    this.#context = {
      operations: options.operations,
      entryTimeout,
      attributeTimeout,
      leaveOpen: false,
      leaveOpendir: false,
      askOpen: options.answerOpen || !options.readOnlyMount,
      listXattr: options.listXattr,
      caller: this.caller,
      directory: new DirectoryWriter(this.#reply, entryTimeout, attributeTimeout),
    };
    this.#pending = new PendingRequests(
      {
        retry: (waiting) => this.#answer(waiting.request, waiting),
        fail: (request, reason) => this.#send(request, this.#accident(request, reason)),
        isBeingKilled: (request) => isBeingKilled(request.pid),
        release: (request) => this.#send(request, -EINTR),
        sendRound: (request) => this.#send(request, -ESTALE),
      },
      options.pendingLimit ?? DEFAULT_PENDING_LIMIT,
    );
    this.locks = new KernelLocks(this.#pending, options.onBlocked);
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    if (options.negotiated !== undefined) this.#agree(options.negotiated);
  }

  /** Requests that wait for something not local. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Handles the request in the buffer. Never throws; whatever it contains, there is at most one reply. */
  receive(): void {
    const { request } = this;
    const { opcode, length } = request;
    if (length < HEADER_BYTES || length > request.bytes.length) {
      // Not seen from any kernel. An answer needs no more than the first 16 bytes.
      if (length >= 16) this.#send(request, -EINVAL);
      return;
    }
    if (this.#options.debug !== undefined) this.#trace(`-> ${describeRequest(request)}`);
    switch (opcode) {
      // Node ids are computed, not counted: there is nothing to forget.
      case Opcode.FORGET:
      case Opcode.BATCH_FORGET:
      case Opcode.NOTIFY_REPLY:
        return;
      case Opcode.INTERRUPT:
        if (request.has(8)) this.#pending.interrupt(request.words[BODY], request.words[BODY + 1]);
        return;
      default:
        this.#answer(request);
    }
  }

  /** The mount is gone: nothing that still waits is answered. */
  end(): void {
    this.#ended = true;
    this.#pending.clear();
  }

  #answer(request: Request, waiting?: Waiting): void {
    const { onAnswered } = this.#options;
    const begin = onAnswered === undefined ? 0 : (waiting?.since ?? performance.now());
    let body: number;
    try {
      body = request.opcode === Opcode.INIT ? this.#init(request) : this.#dispatch(request);
    } catch (thrown) {
      if (thrown instanceof Errno) {
        body = isErrno(thrown.errno) ? -thrown.errno : this.#accident(request, `errno ${thrown.errno}`);
        if (thrown.errno === EIO) this.#options.onIoError?.();
      } else if (thrown instanceof Pending) {
        this.#pending.add(request, thrown.ready, waiting);
        return;
      } else {
        body = this.#accident(request, thrown);
      }
    }
    this.#send(request, body);
    onAnswered?.(request.opcode, performance.now() - begin);
  }

  #dispatch(request: Request): number {
    const { words } = request;
    const handler = HANDLERS[words[1]];
    if (handler === undefined) return -ENOSYS;
    const caller = this.caller;
    caller.uid = words[6];
    caller.gid = words[7];
    caller.pid = words[8];
    return handler(this.#context, request, this.#reply);
  }

  #init(request: Request): number {
    const { length, negotiated } = negotiate(request, this.#reply);
    if (negotiated !== undefined) {
      this.#options.onAgreed?.(negotiated);
      this.#agree(negotiated);
    }
    return length;
  }

  #agree(negotiated: Negotiated): void {
    const { flags } = negotiated;
    const leave = !this.#context.askOpen;
    this.#context.leaveOpen = leave && (flags & InitFlag.NO_OPEN_SUPPORT) !== 0;
    this.#context.leaveOpendir = leave && (flags & InitFlag.NO_OPENDIR_SUPPORT) !== 0;
    this.#resolveReady(negotiated);
  }

  /** Reports what should not have happened; returns the body that says EIO. */
  #accident(request: Request, reason: unknown): number {
    const { onError } = this.#options;
    if (onError !== undefined) onError(describeRequest(request), reason);
    this.#options.onIoError?.();
    return -EIO;
  }

  #send(request: Request, body: number): void {
    if (this.#ended) return;
    const { words } = request;
    const reply = this.#reply;
    const length = reply.finish(body, words[2], words[3]);
    if (this.#options.debug !== undefined) this.#trace(`<- ${describeReply(request, reply, length)}`);
    try {
      this.#transport.write(reply.bytes, length);
    } catch (error) {
      this.#refused(request, body, error);
    }
  }

  /** A reply that the kernel did not take has usually ended its request all the same; if not, this does. */
  #refused(request: Request, body: number, error: unknown): void {
    this.#accident(request, error);
    if (body < 0) return;
    try {
      this.#transport.write(this.#reply.bytes, this.#reply.finish(-EIO, request.words[2], request.words[3]));
    } catch {}
  }

  #trace(line: string): void {
    this.#options.debug?.(line);
  }
}
