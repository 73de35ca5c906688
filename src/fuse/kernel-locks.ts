// Locks of the kernel that a request holds until it is answered, and that a notification waits for. A server that is killed while a
// notification waits for a request which it has read is a deadlock that only an abort of the connection ends, or another server on the same descriptor: the waiting thread
// keeps the descriptor open, so the request is never given up, and both are beyond SIGKILL. So a notification is not written while a request that
// holds its lock waits for something not local, and one that begins to wait meanwhile is sent round again.

import { Opcode } from './opcodes.ts';
import type { PendingRequests } from './pending.ts';
import { HEADER_BYTES } from './request.ts';

export interface KernelLock {
  readonly node: number;
  /** Requests that hold it. */
  readonly holders: readonly number[];
  /** The one of them that the kernel repeats by itself when told ESTALE. */
  readonly repeated: number;
}

export function directoryLock(node: number): KernelLock {
  return { node, holders: [Opcode.LOOKUP, Opcode.READDIR, Opcode.READDIRPLUS], repeated: Opcode.LOOKUP };
}

export function pagesLock(node: number): KernelLock {
  return { node, holders: [Opcode.READ], repeated: Opcode.READ };
}

/** How long a notification lets requests go first, in milliseconds. */
const PATIENCE = 30_000;
/** A notification that takes longer than this, in milliseconds, waits for somebody. */
const IN_TIME = 10;
/** A request that was sent round must be back before the next notification is written: the kernel repeats it only once. */
const ROUND_TRIP = 50;

export class KernelLocks {
  readonly #pending: PendingRequests;
  readonly #blocked: () => () => void;

  /** `blocked` is called when a notification has to wait in the kernel, and what it gives when that is through. */
  constructor(pending: PendingRequests, blocked: () => () => void = () => () => {}) {
    this.#pending = pending;
    this.#blocked = blocked;
  }

  /** Calls `write` when no request that waits holds `lock`, and resolves when it is through. One at a time. */
  async around<T>(lock: KernelLock | undefined, write: () => Promise<T>): Promise<T> {
    if (lock === undefined) return write();
    const begun = performance.now();
    while (this.#pending.has(lock.node, lock.holders) && performance.now() - begun < PATIENCE)
      await this.#pending.changed();

    const sent = new Set<string>();
    let through: (() => void) | undefined;
    const timer = setInterval(() => {
      through ??= this.#blocked();
      this.#sendRound(lock, sent);
    }, IN_TIME);
    try {
      return await write();
    } finally {
      clearInterval(timer);
      through?.();
      if (sent.size > 0) await new Promise((resolve) => setTimeout(resolve, ROUND_TRIP));
    }
  }

  /** Each only once for one notification: who is back already was not in its way, and must not see ESTALE. */
  #sendRound(lock: KernelLock, sent: Set<string>): void {
    this.#pending.sendRound((request) => {
      if (request.node !== lock.node || request.opcode !== lock.repeated) return false;
      const key = `${request.pid} ${request.bytes.toString('latin1', HEADER_BYTES, request.length)}`;
      if (sent.has(key)) return false;
      sent.add(key);
      return true;
    });
  }
}
