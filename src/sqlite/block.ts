// A stretch of a database file in memory. Pages are small, 1 KiB in catalogs: read one by one they would cost more in
// system calls and in memory for their keeping than in bytes.
import type { Page } from './page.ts';
import type { CachedBlock } from './page-cache.ts';

/** Bytes of a block; of a single page where that is larger. */
export const BLOCK_BYTES = 16_384;

/** Its bytes never change and are never used again for another block, so rows may refer to them. */
export class Block implements CachedBlock {
  readonly bytes: Buffer;
  /** The pages of the block that were asked for and checked, by their place in it. */
  readonly pages: (Page | undefined)[];
  recent = false;
  slot = -1;
  readonly #blocks: (Block | undefined)[];
  readonly #number: number;

  /** `blocks` is the list in which the owner keeps it under `number`. */
  constructor(blocks: (Block | undefined)[], number: number, bytes: Buffer, pages: number) {
    this.#blocks = blocks;
    this.#number = number;
    this.bytes = bytes;
    this.pages = new Array(pages);
    blocks[number] = this;
  }

  forget(): void {
    this.#blocks[this.#number] = undefined;
  }
}
