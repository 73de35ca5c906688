// Requests that wait for something which is not local yet. Each is kept as a copy of its bytes and tried again when that has come.

import type { Request } from './request.ts';

/** How often signalled callers and the time limit are looked at, in milliseconds; only while something waits. */
const SWEEP_INTERVAL = 50;

/** A deep path and a read over many chunks need a few dozen; more is a file system that asks again and again for what it has. */
export const MAX_ATTEMPTS = 256;

/** One request that waits, over all its attempts. */
export interface Waiting {
  /** A copy of its own. */
  readonly request: Request;
  attempts: number;
  /** When it began to wait, by performance.now(). */
  readonly since: number;
  /** A signal has come for its caller. */
  signalled: boolean;
}

export interface PendingEvents {
  retry(waiting: Waiting): void;
  fail(request: Request, reason: unknown): void;
  /** Asked for callers that were signalled: must this one be let go? */
  isBeingKilled(request: Request): boolean;
  release(request: Request): void;
  /** The kernel shall ask again. */
  sendRound(request: Request): void;
}

export class PendingRequests {
  readonly #events: PendingEvents;
  readonly #limit: number;
  readonly #waiting = new Map<string, Waiting>();
  #sweep: NodeJS.Timeout | undefined;
  #onChange: Array<() => void> = [];

  /** `limit`: the seconds after which a request fails in any case. */
  constructor(events: PendingEvents, limit: number) {
    this.#events = events;
    this.#limit = limit;
  }

  /** Does a request of one of these opcodes for this node wait? */
  has(node: number, opcodes: readonly number[]): boolean {
    for (const { request } of this.#waiting.values()) {
      if (request.node === node && opcodes.includes(request.opcode)) return true;
    }
    return false;
  }

  /** Has the kernel ask again for those that wait and fit. */
  sendRound(fits: (request: Request) => boolean): void {
    for (const waiting of this.#waiting.values()) {
      if (fits(waiting.request) && this.#take(waiting)) this.#events.sendRound(waiting.request);
    }
  }

  /** Resolves when one less waits, be it for a moment, or after a while. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve));
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Keeps `request` until `ready` settles; `previous` is what `retry` was given if it waits again. */
  add(request: Request, ready: Promise<unknown>, previous?: Waiting): void {
    const waiting = previous ?? { request: request.copy(), attempts: 0, since: performance.now(), signalled: false };
    waiting.attempts++;
    if (waiting.attempts > MAX_ATTEMPTS) {
      this.#events.fail(waiting.request, new Error(`still not ready after ${MAX_ATTEMPTS} attempts`));
      return;
    }
    this.#waiting.set(keyOf(waiting.request), waiting);
    this.#sweep ??= setInterval(() => this.#check(), SWEEP_INTERVAL).unref();
    ready.then(
      () => {
        if (this.#take(waiting)) this.#events.retry(waiting);
      },
      (reason) => {
        if (this.#take(waiting)) this.#events.fail(waiting.request, reason);
      },
    );
  }

  /**
   * INTERRUPT. The kernel sends it once for a request, for whatever signal came first, so from here on its caller is looked at until there
   * is a reply. A request that is not found has had its reply already.
   */
  interrupt(uniqueLow: number, uniqueHigh: number): void {
    const waiting = this.#waiting.get(`${uniqueHigh}:${uniqueLow}`);
    if (waiting === undefined) return;
    waiting.signalled = true;
    this.#check();
  }

  /** Forgets all: nobody is left who could be answered. */
  clear(): void {
    this.#waiting.clear();
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#tellChange();
  }

  /** False if it was answered meanwhile. */
  #take(waiting: Waiting): boolean {
    const key = keyOf(waiting.request);
    if (this.#waiting.get(key) !== waiting) return false;
    this.#waiting.delete(key);
    this.#tellChange();
    return true;
  }

  #tellChange(): void {
    const listeners = this.#onChange;
    if (listeners.length === 0) return;
    this.#onChange = [];
    for (const listener of listeners) listener();
  }

  #check(): void {
    const now = performance.now();
    for (const waiting of this.#waiting.values()) {
      if (waiting.signalled && this.#events.isBeingKilled(waiting.request)) {
        if (this.#take(waiting)) this.#events.release(waiting.request);
      } else if (now - waiting.since > this.#limit * 1000) {
        if (this.#take(waiting)) this.#events.fail(waiting.request, new Error(`no answer within ${this.#limit} s`));
      }
    }
    if (this.#waiting.size === 0) this.clear();
    else this.#tellChange();
  }
}

function keyOf(request: Request): string {
  return `${request.words[3]}:${request.words[2]}`;
}
