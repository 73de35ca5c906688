// Directory listings: the rows of a directory in the order of their inode numbers. The offset of an entry is the inode
// number of its row, so a listing can be continued when it was dropped from this small cache and, since what is unchanged
// keeps its number, also in another revision: nothing that stays is left out or comes twice.

import { hashPath, newPathHash } from '../repository/path-hash.ts';
import { databasePath } from './attached-catalog.ts';
import type { Directory } from './directory.ts';
import type { Numbering } from './numbering.ts';

const CACHED_LISTINGS = 64;
/** Offsets of "." and ".." are below; inode numbers are above 255. */
const FIRST_OFFSET = 2;

export class Listing {
  /** Row ids, hidden entries included. */
  readonly rows: readonly number[];
  readonly #nodes: Numbering;

  constructor(rows: number[], nodes: Numbering) {
    // Those of a catalog that replaced none are in order already, which costs one look at each.
    this.rows = rows.sort((a, b) => nodes.inodeOfRow(a) - nodes.inodeOfRow(b));
    this.#nodes = nodes;
  }

  /** Offset to continue from after the entry at `index`. */
  after(index: number): number {
    return this.#nodes.inodeOfRow(this.rows[index]);
  }

  /** Index of a row that is in it. */
  placeOf(row: number): number {
    return this.from(this.#nodes.inodeOfRow(row)) - 1;
  }

  /** Index of the first entry behind `offset`. */
  from(offset: number): number {
    if (offset <= FIRST_OFFSET) return 0;
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.after(middle) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class Listings {
  readonly #cache = new Map<number, Listing>();
  readonly #hash = newPathHash();

  get(directory: Directory): Listing {
    return this.#cache.get(directory.node) ?? this.#read(directory);
  }

  clear(): void {
    this.#cache.clear();
  }

  #read(directory: Directory): Listing {
    const rows: number[] = [];
    hashPath(databasePath(directory.catalog, directory.path), this.#hash);
    directory.catalog.catalog.children(this.#hash, rows);
    if (this.#cache.size >= CACHED_LISTINGS) this.#cache.delete(this.#cache.keys().next().value as number);
    const listing = new Listing(rows, directory.catalog.nodes);
    this.#cache.set(directory.node, listing);
    return listing;
  }
}
