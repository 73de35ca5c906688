// One file catalog: an immutable SQLite database that lists a part of a repository's tree, its rows keyed by the MD5 of
// their path. Everything here is synchronous and local. A file found damaged while it is read gives a SqliteError or a
// RepositoryError, never a wrong row.
import { ContentHash, DIGEST_BYTES, type HashAlgorithm } from '../objects/hash.ts';
import { Database } from '../sqlite/database.ts';
import type { Index } from '../sqlite/index.ts';
import type { PageSource } from '../sqlite/page-source.ts';
import { Row } from '../sqlite/row.ts';
import type { Table } from '../sqlite/table.ts';
import { type CatalogCounters, readCounters } from './catalog-counters.ts';
import { CatalogEntry, type EntryColumns, entryColumns, type HashSource } from './catalog-entry.ts';
import { type CatalogProperties, catalogProperties, readProperties } from './catalog-properties.ts';
import { type Chunk, ChunkLists } from './chunk-list.ts';
import { RepositoryError, reasonOf } from './errors.ts';
import { type NestedCatalog, readNestedCatalogs } from './nested-catalogs.ts';
import { hashPath, newPathHash, type PathHash } from './path-hash.ts';
import { parseXattrList, type XattrList } from './xattr-list.ts';

export { CatalogEntry, type Chunk, type NestedCatalog };

/** Far above what any catalog has; clients number files by rows. */
const MAX_ROWID = 2 ** 31 - 1;

const NO_XATTRS: XattrList = new Map();

export class Catalog implements HashSource {
  /** Of the compressed file: what it is named by. */
  readonly hash: ContentHash;
  readonly properties: CatalogProperties;
  readonly counters: CatalogCounters;
  /** Catalogs attached directly below this one, nested and bind-mounted, by path as this catalog spells it. */
  readonly nested: ReadonlyMap<string, NestedCatalog>;
  /** Row ids go from 1 to this. */
  readonly maxRowid: number;
  /** Row of the directory that the catalog is attached to. */
  readonly rootRow: number;
  readonly #database: Database;
  readonly #entries: Table;
  readonly #columns: EntryColumns;
  readonly #byPath: Index;
  readonly #byParent: Index | undefined;
  readonly #chunks: ChunkLists;
  readonly #row = new Row();

  private constructor(database: Database, hash: ContentHash) {
    this.hash = hash;
    this.#database = database;
    this.properties = catalogProperties(readProperties(database));
    const { schemaRevision, rootPrefix } = this.properties;
    this.#entries = database.table('catalog');
    this.#columns = entryColumns(this.#entries, schemaRevision);
    const byPath = this.#entries.index(['md5path_1', 'md5path_2']);
    if (!byPath) throw new RepositoryError('BadCatalog', 'it has no index by path');
    this.#byPath = byPath;
    this.#byParent = this.#entries.index(['parent_1', 'parent_2']);
    this.#chunks = new ChunkLists(database);
    this.counters = readCounters(database, schemaRevision);
    this.nested = readNestedCatalogs(database, schemaRevision);
    this.maxRowid = this.#entries.maxRowid();
    if (this.maxRowid > MAX_ROWID) throw new RepositoryError('BadCatalog', `its rows go up to ${this.maxRowid}`);
    const rootPath = newPathHash();
    hashPath(rootPrefix, rootPath);
    this.rootRow = this.lookup(rootPath);
    if (this.rootRow === 0) throw new RepositoryError('BadCatalog', 'it has no row for its root directory');
  }

  /**
   * Opens a catalog whose hash has been verified; takes over `source`, and closes it also when this fails.
   * @throws RepositoryError BadSchema (client.md §3.1), BadCatalog
   */
  static open(source: PageSource, hash: ContentHash): Catalog {
    let database: Database | undefined;
    try {
      database = Database.open(source);
      return new Catalog(database, hash);
    } catch (cause) {
      database?.close();
      const code = cause instanceof RepositoryError ? cause.code : 'BadCatalog';
      throw new RepositoryError(code, `the catalog ${hash} cannot be used: ${reasonOf(cause)}`, { cause });
    }
  }

  /** Path the catalog was made for, '' for a root catalog. Differs from where it is attached below bind mountpoints. */
  get rootPrefix(): string {
    return this.properties.rootPrefix;
  }

  get revision(): number {
    return this.properties.revision;
  }

  get lastModified(): number {
    return this.properties.lastModified;
  }

  get ttl(): number {
    return this.properties.ttl;
  }

  /** Row of the path, 0 if there is none. */
  lookup(path: PathHash): number {
    return this.#byPath.first(path.hi1, path.lo1, path.hi2, path.lo2);
  }

  /** Appends the rows of everything in the directory, hidden entries included, in no particular but always the same order. */
  children(directory: PathHash, into: number[]): void {
    if (this.#byParent) this.#byParent.all(directory.hi1, directory.lo1, directory.hi2, directory.lo2, into);
    else this.#scanForChildren(directory, into);
  }

  /** Row of the directory that holds the entry; 0 when it is in the parent catalog (for the root row), or nowhere. */
  parentRow(entry: CatalogEntry): number {
    return this.#byPath.first(entry.parentHi1, entry.parentLo1, entry.parentHi2, entry.parentLo2);
  }

  /** Rows below 1, whose node ids would be those of another catalog, are taken for missing. */
  row(rowid: number): CatalogEntry | undefined {
    if (rowid < 1 || !this.#entries.seek(rowid, this.#row)) return undefined;
    return new CatalogEntry(this.#row, this.#columns, this);
  }

  /** Every row, in no particular order. */
  *rows(): Generator<CatalogEntry> {
    for (const row of this.#entries.scan(new Row())) yield new CatalogEntry(row, this.#columns, this);
  }

  /** Pieces of a chunked file, in order and without gaps. @throws RepositoryError BadCatalog */
  chunks(entry: CatalogEntry): Chunk[] {
    return this.#chunks.of(entry);
  }

  /** Published extended attributes; none for a row without, or with a damaged list. */
  xattrs(rowid: number): XattrList {
    const column = this.#columns.xattr;
    if (column < 0 || !this.#entries.seek(rowid, this.#row) || this.#row.isNull(column)) return NO_XATTRS;
    return parseXattrList(this.#row.bytes(column));
  }

  /** @throws RepositoryError BadCatalog when the row holds something else than a digest */
  hashOf(rowid: number, algorithm: HashAlgorithm): ContentHash | undefined {
    if (!this.#entries.seek(rowid, this.#row) || this.#row.isNull(this.#columns.hash)) return undefined;
    const digest = this.#row.bytes(this.#columns.hash);
    if (digest.length === 0) return undefined;
    if (digest.length !== DIGEST_BYTES) throw new RepositoryError('BadCatalog', `row ${rowid} has no valid hash`);
    return ContentHash.fromDigest(algorithm, digest);
  }

  close(): void {
    this.#database.close();
  }

  /** Catalogs without that index are rare, and small. */
  #scanForChildren(directory: PathHash, into: number[]): void {
    const { parent1, parent2 } = this.#columns;
    for (const row of this.#entries.scan(new Row())) {
      if (
        row.low(parent1) === directory.lo1 &&
        row.high(parent1) === directory.hi1 &&
        row.low(parent2) === directory.lo2 &&
        row.high(parent2) === directory.hi2
      ) {
        into.push(row.rowid);
      }
    }
  }
}
