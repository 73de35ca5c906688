import type { Page } from './page.ts';

/** Memory for pages of all databases of a process, in bytes: many servers may run on one node. */
const DEFAULT_BUDGET = 24 * 1024 * 1024;

/**
 * Pages of any number of databases within one budget. Which go first is told by a clock, an approximation of
 * least-recently-used whose hits cost one store; pages read once, as by a scan, go before those that were used again.
 */
export class PageCache {
  #budget: number;
  #bytes = 0;
  #hand = 0;
  readonly #ring: Page[] = [];

  constructor(budget = DEFAULT_BUDGET) {
    this.#budget = budget;
  }

  /** Bytes of the pages that are held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Upper limit in bytes; a single page may exceed it. */
  get budget(): number {
    return this.#budget;
  }

  set budget(bytes: number) {
    this.#budget = bytes;
    this.#makeRoom(0);
  }

  add(page: Page): void {
    this.#makeRoom(page.bytes.length);
    page.slot = this.#ring.length;
    this.#ring.push(page);
    this.#bytes += page.bytes.length;
  }

  remove(page: Page): void {
    const last = this.#ring.pop() as Page;
    if (last !== page) {
      this.#ring[page.slot] = last;
      last.slot = page.slot;
    }
    page.slot = -1;
    this.#bytes -= page.bytes.length;
    page.owner.forget(page.number);
  }

  #makeRoom(bytes: number): void {
    while (this.#ring.length > 0 && this.#bytes + bytes > this.#budget) {
      if (this.#hand >= this.#ring.length) this.#hand = 0;
      const page = this.#ring[this.#hand];
      if (page.recent) {
        page.recent = false;
        this.#hand++;
      } else {
        this.remove(page);
      }
    }
  }
}

/** The cache of all databases that are opened without one of their own. */
export const sharedPageCache = new PageCache();
