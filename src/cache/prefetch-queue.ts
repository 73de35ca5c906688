// Objects that will probably be asked for soon: fetched a few at a time, beside what is asked for.
import type { ObjectRequest } from '../objects/object.ts';

/** That wait; older ones are forgotten, as their reader has probably gone on. */
const MAX_WAITING = 256;

export class PrefetchQueue {
  readonly #limit: number;
  readonly #start: (request: ObjectRequest) => Promise<void>;
  readonly #waiting = new Map<string, ObjectRequest>();
  #running = 0;

  /** `limit`: at once. `start` fetches. */
  constructor(limit: number, start: (request: ObjectRequest) => Promise<void>) {
    this.#limit = limit;
    this.#start = start;
  }

  /** Those that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  add(key: string, request: ObjectRequest): void {
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, request);
    if (this.#waiting.size > MAX_WAITING) {
      for (const oldest of this.#waiting.keys()) {
        this.#waiting.delete(oldest);
        break;
      }
    }
    this.#startSome();
  }

  /** It is fetched in another way. */
  remove(key: string): void {
    this.#waiting.delete(key);
  }

  clear(): void {
    this.#waiting.clear();
  }

  #startSome(): void {
    for (const [key, request] of this.#waiting) {
      if (this.#running >= this.#limit) return;
      this.#waiting.delete(key);
      this.#running++;
      this.#start(request)
        .catch(() => {})
        .finally(() => {
          this.#running--;
          this.#startSome();
        });
    }
  }
}
