// One page of a b-tree. Layout: [file header on page 1] kind, first free block (2), cell count (2), content start (2),
// fragments, [right child (4) of interior pages], cell pointers (2 each), free space, cells.
import { corrupt } from './error.ts';
import { HEADER_BYTES } from './header.ts';

const TABLE_LEAF = 13;
const TABLE_INTERIOR = 5;
const INDEX_LEAF = 10;
const INDEX_INTERIOR = 2;

/** A checked page. Its bytes never change and are never used again for another page, so rows may refer to them. */
export class Page {
  readonly number: number;
  readonly bytes: Buffer;
  readonly leaf: boolean;
  /** Page of a table, not of an index. */
  readonly table: boolean;
  /** Cells of the page. */
  readonly count: number;
  /** Page number of the right-most child; 0 on leaves. */
  readonly right: number;
  readonly #pointers: number;

  constructor(number: number, bytes: Buffer, usable: number) {
    const start = number === 1 ? HEADER_BYTES : 0;
    const kind = bytes[start];
    this.number = number;
    this.bytes = bytes;
    this.leaf = kind === TABLE_LEAF || kind === INDEX_LEAF;
    this.table = kind === TABLE_LEAF || kind === TABLE_INTERIOR;
    if (!this.leaf && kind !== TABLE_INTERIOR && kind !== INDEX_INTERIOR) {
      throw corrupt(`page ${number} is of no b-tree kind (${kind})`);
    }
    this.count = (bytes[start + 3] << 8) | bytes[start + 4];
    this.right = this.leaf ? 0 : bytes.readUInt32BE(start + 8);
    this.#pointers = start + (this.leaf ? 8 : 12);
    const contentStart = this.#pointers + 2 * this.count;
    if (contentStart > usable) throw corrupt(`page ${number} has no room for its ${this.count} cells`);
    for (let i = 0; i < this.count; i++) {
      const at = this.cell(i);
      if (at < contentStart || at > usable - 4) throw corrupt(`cell ${i} of page ${number} lies outside of its page`);
    }
  }

  /** Offset of a cell in `bytes`. */
  cell(index: number): number {
    const at = this.#pointers + 2 * index;
    return (this.bytes[at] << 8) | this.bytes[at + 1];
  }

  /** Page number of the child left of a cell; of the right-most one for `index` = count. */
  child(index: number): number {
    if (index === this.count) return this.right;
    const at = this.cell(index);
    const bytes = this.bytes;
    return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  }
}
