// Catalogs and histories that a test makes with SQLite itself.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { ContentHash } from '../../src/objects/hash.ts';
import { Catalog } from '../../src/repository/catalog.ts';
import { COUNTERS } from '../../src/repository/catalog-counters.ts';
import { hashPath, newPathHash } from '../../src/repository/path-hash.ts';
import { localObject } from './fixtures.ts';

export const ANY_HASH = new ContentHash('sha1', 'ab'.repeat(20));

/** Column values by name; md5path and parent follow from `path`. */
export interface MadeRow {
  readonly path: string;
  readonly [column: string]: unknown;
}

export interface MadeCatalog {
  readonly schema?: string | null;
  readonly schemaRevision?: number;
  readonly properties?: Readonly<Record<string, string>>;
  /** Beside the root row. */
  readonly rows?: readonly MadeRow[];
  readonly root?: boolean;
  /** Statements run at the end, before the file is read. */
  readonly after?: string;
}

/** The database file of a catalog that has just the columns and tables of its schema revision. */
export function catalogFile(made: MadeCatalog = {}): Buffer {
  const { schema = '2.5', schemaRevision = 7, rows = [], root = true } = made;
  return databaseFile((database) => {
    const since = (revision: number, text: string) => (schemaRevision >= revision ? text : '');
    database.exec(`
      CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key));
      CREATE TABLE catalog (md5path_1 INTEGER, md5path_2 INTEGER, parent_1 INTEGER, parent_2 INTEGER,
        hardlinks INTEGER, hash BLOB, size INTEGER, mode INTEGER, mtime INTEGER, ${since(7, 'mtimens INTEGER,')}
        flags INTEGER, name TEXT, symlink TEXT, uid INTEGER, gid INTEGER, ${since(2, 'xattr BLOB,')}
        CONSTRAINT pk_catalog PRIMARY KEY (md5path_1, md5path_2));
      CREATE INDEX idx_catalog_parent ON catalog (parent_1, parent_2);
      CREATE TABLE chunks (md5path_1 INTEGER, md5path_2 INTEGER, offset INTEGER, size INTEGER, hash BLOB,
        CONSTRAINT pk_chunks PRIMARY KEY (md5path_1, md5path_2, offset, size));
      CREATE TABLE nested_catalogs (path TEXT, sha1 TEXT, ${since(1, 'size INTEGER,')}
        CONSTRAINT pk_nested_catalogs PRIMARY KEY (path));
      ${since(4, 'CREATE TABLE bind_mountpoints (path TEXT PRIMARY KEY, sha1 TEXT, size INTEGER);')}
      CREATE TABLE statistics (counter TEXT, value INTEGER, CONSTRAINT pk_statistics PRIMARY KEY (counter));`);
    const property = database.prepare('INSERT INTO properties (key, value) VALUES (?, ?)');
    if (schema !== null) property.run('schema', schema);
    if (schemaRevision > 0) property.run('schema_revision', String(schemaRevision));
    for (const [key, value] of Object.entries(made.properties ?? {})) property.run(key, value);
    const counter = database.prepare('INSERT INTO statistics (counter, value) VALUES (?, ?)');
    const counters = COUNTERS.filter((name) => !(schemaRevision < 5 && /^(special|external)/.test(name)));
    for (const name of counters)
      for (const scope of ['self', 'subtree']) counter.run(`${scope}_${name}`, name === 'dir' ? 1 : 0);
    const rootPath = made.properties?.root_prefix ?? '';
    for (const row of root ? [{ path: rootPath, mode: 0o40755, flags: 1 }, ...rows] : rows) insertRow(database, row);
    database.exec(made.after ?? '');
  });
}

export function openMade(made?: MadeCatalog): Catalog {
  return Catalog.open(localObject(catalogFile(made)), ANY_HASH);
}

/** A chunk of the file at `path`. */
export function insertChunk(path: string, offset: number, size: number, hash = 'cd'.repeat(20)): string {
  const [first, second] = columns(path);
  return `INSERT INTO chunks VALUES (${first}, ${second}, ${offset}, ${size}, x'${hash}');`;
}

/** A database file made by `fill`. */
export function databaseFile(fill: (database: DatabaseSync) => void): Buffer {
  const directory = mkdtempSync(`${tmpdir()}/made-catalog-`);
  try {
    const database = new DatabaseSync(`${directory}/db`);
    try {
      database.exec('PRAGMA page_size=1024; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF');
      fill(database);
    } finally {
      database.close();
    }
    return readFileSync(`${directory}/db`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function insertRow(database: DatabaseSync, { path, ...given }: MadeRow): void {
  const [md5path_1, md5path_2] = columns(path);
  const [parent_1, parent_2] = path === '' ? [0n, 0n] : columns(path.slice(0, path.lastIndexOf('/')));
  const name = Buffer.from(path.slice(path.lastIndexOf('/') + 1), 'latin1');
  const defaults = { hardlinks: 1, size: 0, mode: 0o100644, mtime: 1, flags: 4, symlink: '', uid: 0, gid: 0 };
  const row = { md5path_1, md5path_2, parent_1, parent_2, ...defaults, name, ...given };
  const values = Object.keys(row).map((column) => (column === 'name' ? 'CAST(? AS TEXT)' : '?'));
  const statement = database.prepare(
    `INSERT INTO catalog (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`,
  );
  statement.run(...(Object.values(row) as never[]));
}

function columns(path: string): [bigint, bigint] {
  const { hi1, lo1, hi2, lo2 } = pathHash(path);
  return [(BigInt(hi1) << 32n) | BigInt(lo1 >>> 0), (BigInt(hi2) << 32n) | BigInt(lo2 >>> 0)];
}

export function pathHash(path: string) {
  const hash = newPathHash();
  hashPath(path, hash);
  return hash;
}
