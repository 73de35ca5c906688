// The table `chunks` of a catalog: offset, size and hash of each piece of a chunked file, by the path's MD5.
import { ContentHash, DIGEST_BYTES } from '../objects/hash.ts';
import type { Database } from '../sqlite/database.ts';
import type { Index } from '../sqlite/index.ts';
import { Row } from '../sqlite/row.ts';
import type { Table } from '../sqlite/table.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { RepositoryError } from './errors.ts';

export interface Chunk {
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes, above 0. */
  readonly size: number;
  readonly hash: ContentHash;
}

export class ChunkLists {
  readonly #table: Table;
  readonly #index: Index;
  readonly #row = new Row();
  readonly #offset: number;
  readonly #size: number;
  readonly #hash: number;

  constructor(database: Database) {
    this.#table = database.table('chunks');
    const index = this.#table.index(['md5path_1', 'md5path_2']);
    if (!index) throw new RepositoryError('BadCatalog', "the catalog's table of chunks has no index by path");
    this.#index = index;
    this.#offset = this.#table.column('offset');
    this.#size = this.#table.column('size');
    this.#hash = this.#table.column('hash');
  }

  /**
   * The chunks of a file in order. They cover it without gap or overlap (client.md §3.6, §14.6).
   * @throws RepositoryError BadCatalog when they do not
   */
  of(entry: CatalogEntry): Chunk[] {
    const rowids: number[] = [];
    this.#index.all(entry.hi1, entry.lo1, entry.hi2, entry.lo2, rowids);
    const { algorithm } = entry;
    const chunks = rowids.map((rowid) => this.#chunk(rowid, algorithm)).sort((a, b) => a.offset - b.offset);
    let end = 0;
    for (const { offset, size } of chunks) {
      if (offset !== end || size <= 0) throw broken(entry, `at ${end} there is none, or it overlaps another`);
      end += size;
    }
    if (end !== entry.size) throw broken(entry, `they end at ${end} of ${entry.size} bytes`);
    return chunks;
  }

  #chunk(rowid: number, algorithm: CatalogEntry['algorithm']): Chunk {
    const row = this.#row;
    if (!this.#table.seek(rowid, row))
      throw new RepositoryError('BadCatalog', `the row ${rowid} of a chunk is missing`);
    const digest = row.bytes(this.#hash);
    if (digest.length !== DIGEST_BYTES) throw new RepositoryError('BadCatalog', 'a chunk has no valid hash');
    return {
      offset: row.integer(this.#offset),
      size: row.integer(this.#size),
      hash: ContentHash.fromDigest(algorithm, digest),
    };
  }
}

function broken(entry: CatalogEntry, what: string): RepositoryError {
  return new RepositoryError('BadCatalog', `the chunks of ${entry.name} do not make up the file: ${what}`);
}
