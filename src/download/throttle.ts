// Slows down who keeps failing, so that programs which try again at once do not flood the network (client.md §7.12).

const FORGET_MS = 10_000;
const FIRST_MS = 32;
const MAX_MS = 2000;

export class Throttle {
  #last = Number.NEGATIVE_INFINITY;
  #range = FIRST_MS;

  /** Milliseconds to wait after a failure at `now`; the first one in ten seconds is free. */
  next(now: number): number {
    const recent = now - this.#last < FORGET_MS;
    this.#last = now;
    if (!recent) {
      this.#range = FIRST_MS;
      return 0;
    }
    const delay = Math.floor(Math.random() * this.#range);
    this.#range = Math.min(this.#range * 2, MAX_MS);
    return delay;
  }
}
