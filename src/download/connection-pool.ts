// Keep-alive connections of one downloader: at most `limit` at once, the most recently used one first.
import { Connection, type Limits } from './connection.ts';
import type { Dialing, Route } from './route.ts';

interface Waiter {
  readonly start: () => void;
  readonly reject: (error: Error) => void;
}

export class ConnectionPool {
  #limit: number;
  #dialing: Dialing;
  #all = new Set<Connection>();
  #urgent: Waiter[] = [];
  #patient: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #period = 1000;
  #ended = false;

  /** `limit`: connections at once. The authorities are asked for once. */
  constructor(limit: number, dialing: Dialing) {
    this.#limit = limit;
    let texts: readonly string[] | undefined;
    const authorities = () => {
      texts ??= dialing.authorities();
      return texts;
    };
    this.#dialing = { ...dialing, authorities };
  }

  /**
   * A free connection; a promise when all are in use. The caller must start an exchange on it at once, and call
   * `release` when that has ended in any way. `fresh`: not one that was idle.
   */
  acquire(route: Route, limits: Limits, urgent: boolean, fresh: boolean): Connection | Promise<Connection> {
    if (this.#ended) return Promise.reject(new Error('closed'));
    const free = this.#take(route, limits, fresh);
    if (free) return free;
    return new Promise((resolve, reject) => {
      const start = () => {
        const connection = this.#take(route, limits, fresh);
        if (connection) resolve(connection);
        else (urgent ? this.#urgent : this.#patient).unshift(waiter);
      };
      const waiter = { start, reject };
      (urgent ? this.#urgent : this.#patient).push(waiter);
    });
  }

  /** To be called after every exchange. */
  release(connection: Connection): void {
    if (connection.reusable) {
      // The last in the set is the next to be used.
      this.#all.delete(connection);
      this.#all.add(connection);
    } else if (!connection.closed) {
      connection.destroy();
    }
    this.#startWaiting();
  }

  /** Closes everything; requests in progress and waiting ones fail. */
  close(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    const error = new Error('closed');
    for (const waiter of [...this.#urgent.splice(0), ...this.#patient.splice(0)]) waiter.reject(error);
    for (const connection of [...this.#all]) connection.destroy(error);
  }

  #take(route: Route, limits: Limits, fresh: boolean): Connection | undefined {
    let idle: Connection | undefined;
    let oldestIdle: Connection | undefined;
    for (const connection of this.#all) {
      if (!connection.reusable) continue;
      oldestIdle ??= connection;
      if (connection.route.key === route.key) idle = connection;
    }
    if (idle && !fresh) return idle.claim(limits);
    // What made an idle connection useless has probably met the others to that place too.
    if (idle) idle.destroy();
    else if (this.#all.size >= this.#limit) oldestIdle?.destroy();
    if (this.#all.size >= this.#limit) return undefined;
    const connection = new Connection(route, limits, this.#dialing, (closed) => this.#forget(closed));
    this.#all.add(connection);
    this.#watch(limits);
    return connection.claim(limits);
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    this.#startWaiting();
  }

  #startWaiting(): void {
    if (this.#ended) return;
    const waiter = this.#urgent.shift() ?? this.#patient.shift();
    waiter?.start();
  }

  /** One coarse timer for all time-outs, as long as there are connections. */
  #watch(limits: Limits): void {
    const period = Math.max(10, Math.min(1000, limits.connect / 8, limits.slow / 8));
    if (this.#timer && period >= this.#period) return;
    clearInterval(this.#timer);
    this.#period = period;
    let last = performance.now();
    const check = () => {
      const now = performance.now();
      // Time in which this process did not run (stopped, starved) is nobody's fault.
      const lost = Math.max(0, now - last - 2 * period);
      last = now;
      for (const connection of [...this.#all]) connection.check(now, lost);
    };
    this.#timer = setInterval(() => {
      if (this.#all.size > 0) {
        // After what has arrived meanwhile was read.
        setImmediate(check);
      } else {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }, period);
    this.#timer.unref();
  }
}
