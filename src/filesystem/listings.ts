// Directory listings: the rows of a directory in the order of the catalog's index. The offset of an entry is its place in
// that order, so a listing that was dropped from this small cache can be made again and continued.

import { hashPath, newPathHash } from '../repository/path-hash.ts';
import { databasePath } from './attached-catalog.ts';
import type { Directory } from './directory.ts';

const CACHED_LISTINGS = 64;

export class Listings {
  readonly #cache = new Map<number, readonly number[]>();
  readonly #hash = newPathHash();

  /** Row ids in `directory.catalog`, hidden entries included. */
  get(directory: Directory): readonly number[] {
    return this.#cache.get(directory.node) ?? this.#read(directory);
  }

  #read(directory: Directory): readonly number[] {
    const rows: number[] = [];
    hashPath(databasePath(directory.catalog, directory.path), this.#hash);
    directory.catalog.catalog.children(this.#hash, rows);
    if (this.#cache.size >= CACHED_LISTINGS) this.#cache.delete(this.#cache.keys().next().value as number);
    this.#cache.set(directory.node, rows);
    return rows;
  }
}
