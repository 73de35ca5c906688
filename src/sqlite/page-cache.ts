/** Memory for pages of all databases of a process, in bytes: many servers may run on one node. */
const DEFAULT_BUDGET = 32 * 1024 * 1024;

/** Neighbouring pages of one file, read at once and dropped at once. */
export interface CachedBlock {
  readonly bytes: Uint8Array;
  /** Used since the clock's hand passed. */
  recent: boolean;
  /** Place in the cache's ring. */
  slot: number;
  /** Told when the cache drops it. */
  forget(): void;
}

/**
 * Blocks of any number of databases within one budget. Which go first is told by a clock, an approximation of
 * least-recently-used whose hits cost one store. A new block takes the place of the one that went for it, just behind
 * the hand, so it is the last that the hand comes to.
 */
export class PageCache {
  #budget: number;
  #bytes = 0;
  #hand = 0;
  readonly #ring: (CachedBlock | undefined)[] = [];
  /** Empty places of the ring; the last is the next to be filled. */
  readonly #holes: number[] = [];

  constructor(budget = DEFAULT_BUDGET) {
    this.#budget = budget;
  }

  /** Bytes of the blocks that are held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Upper limit in bytes; a single block may exceed it. */
  get budget(): number {
    return this.#budget;
  }

  set budget(bytes: number) {
    this.#budget = bytes;
    this.#makeRoom(0);
  }

  add(block: CachedBlock): void {
    this.#makeRoom(block.bytes.length);
    block.slot = this.#holes.pop() ?? this.#ring.length;
    this.#ring[block.slot] = block;
    this.#bytes += block.bytes.length;
  }

  remove(block: CachedBlock): void {
    this.#ring[block.slot] = undefined;
    this.#holes.push(block.slot);
    block.slot = -1;
    this.#bytes -= block.bytes.length;
    block.forget();
  }

  #makeRoom(bytes: number): void {
    while (this.#bytes > 0 && this.#bytes + bytes > this.#budget) {
      if (this.#hand >= this.#ring.length) this.#hand = 0;
      const block = this.#ring[this.#hand++];
      if (block === undefined) continue;
      if (block.recent) block.recent = false;
      else this.remove(block);
    }
  }
}

/** The cache of all databases that are opened without one of their own. */
export const sharedPageCache = new PageCache();
