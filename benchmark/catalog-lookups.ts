// Catalog look-ups: our b-tree reader against node:sqlite, on a generated catalog of 100,000 entries in 1000 directories.
// Usage: node benchmark/catalog-lookups.ts [entries]
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Database } from '../src/sqlite/database.ts';
import { PageCache } from '../src/sqlite/page-cache.ts';
import { Row } from '../src/sqlite/row.ts';

const ENTRIES = Number(process.argv[2] ?? 100_000);
const PER_DIRECTORY = 100;
const LOOKUPS = 200_000;

const directory = mkdtempSync(join(tmpdir(), 'catalog-lookups-'));
try {
  const file = join(directory, 'catalog');
  const paths = generate(file);
  console.log(`${ENTRIES} entries, ${(statSync(file).size / 1e6).toFixed(1)} MB, ${LOOKUPS} look-ups in random order`);
  report('node:sqlite', measureSqlite(file, paths));
  report('b-tree reader, 24 MiB', measureReader(file, paths, new PageCache()));
  report('b-tree reader, 2 MiB', measureReader(file, paths, new PageCache(2 << 20)));
} finally {
  rmSync(directory, { recursive: true });
}

interface Measured {
  readonly lookups: number;
  readonly listed: number;
  readonly scanned: number;
}

function report(name: string, { lookups, listed, scanned }: Measured): void {
  const thousands = (rate: number) => `${Math.round(rate / 1000)} k/s`.padStart(11);
  console.log(
    `${name.padEnd(24)} point look-ups ${thousands(lookups)}   listed rows ${thousands(listed)}   scanned rows ${thousands(scanned)}`,
  );
}

/** MD5 of a path as the two columns: little-endian halves of the digest (client.md §3.3). */
function digest(path: string): Buffer {
  return createHash('md5').update(path).digest();
}

function generate(file: string): { entries: Buffer[]; directories: Buffer[] } {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA synchronous=OFF;
    CREATE TABLE catalog (md5path_1 INTEGER, md5path_2 INTEGER, parent_1 INTEGER, parent_2 INTEGER, hardlinks INTEGER,
      hash BLOB, size INTEGER, mode INTEGER, mtime INTEGER, mtimens INTEGER, flags INTEGER, name TEXT, symlink TEXT,
      uid INTEGER, gid INTEGER, xattr BLOB, CONSTRAINT pk_catalog PRIMARY KEY (md5path_1, md5path_2));
    CREATE INDEX idx_catalog_parent ON catalog (parent_1, parent_2); BEGIN`);
  const insert = database.prepare('INSERT INTO catalog VALUES (?,?,?,?,1,?,?,33188,?,NULL,4,?,?,1000,1000,NULL)');
  const entries: Buffer[] = [];
  const directories: Buffer[] = [];
  for (let i = 0; i < ENTRIES; i++) {
    const parent = `/software/release-${Math.floor(i / PER_DIRECTORY)}`;
    if (i % PER_DIRECTORY === 0) directories.push(digest(parent));
    const name = `lib_${i}_module.py`;
    const key = digest(`${parent}/${name}`);
    const above = directories[directories.length - 1];
    entries.push(key);
    const hash = createHash('sha1').update(name).digest();
    insert.run(
      ...[key.readBigInt64LE(0), key.readBigInt64LE(8), above.readBigInt64LE(0), above.readBigInt64LE(8)],
      ...[hash, i * 37, 1_700_000_000 + i, name, ''],
    );
  }
  database.exec('COMMIT');
  database.close();
  return { entries, directories };
}

/** The same pseudo-random order for everybody. */
function sequence(count: number): number[] {
  let state = 1;
  return Array.from({ length: LOOKUPS }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % count;
  });
}

function rate(count: number, work: () => void): number {
  const start = performance.now();
  work();
  return (count / (performance.now() - start)) * 1000;
}

function measureSqlite(file: string, { entries, directories }: ReturnType<typeof generate>): Measured {
  const database = new DatabaseSync(file, { readOnly: true });
  const columns = 'rowid, hash, size, mode, mtime, flags, name, symlink, uid, gid';
  const point = database.prepare(`SELECT ${columns} FROM catalog WHERE md5path_1=? AND md5path_2=?`);
  const list = database.prepare(`SELECT ${columns} FROM catalog WHERE parent_1=? AND parent_2=?`);
  const all = database.prepare(`SELECT ${columns} FROM catalog`);
  const keys = entries.map((key) => [key.readBigInt64LE(0), key.readBigInt64LE(8)]);
  const order = sequence(entries.length);
  const lookups = rate(LOOKUPS, () => {
    for (const i of order) if (point.get(keys[i][0], keys[i][1]) === undefined) throw new Error('not found');
  });
  const listed = rate(ENTRIES, () => {
    for (const key of directories) list.all(key.readBigInt64LE(0), key.readBigInt64LE(8));
  });
  const scanned = rate(ENTRIES, () => {
    for (const _ of all.iterate());
  });
  database.close();
  return { lookups, listed, scanned };
}

function measureReader(
  file: string,
  { entries, directories }: ReturnType<typeof generate>,
  cachePages: PageCache,
): Measured {
  const descriptor = openSync(file, 'r');
  const source = {
    size: statSync(file).size,
    read: (target: Uint8Array, offset: number, length: number, position: number) =>
      readSync(descriptor, target, offset, length, position),
    close: () => closeSync(descriptor),
  };
  const database = Database.open(source, { cachePages });
  const table = database.table('catalog');
  const byPath = table.index(['md5path_1', 'md5path_2']);
  const byParent = table.index(['parent_1', 'parent_2']);
  if (byPath === undefined || byParent === undefined) throw new Error('the catalog lacks an index');
  const column = Object.fromEntries(table.columns.map((name, i) => [name, i]));
  const row = new Row();
  const decode = () =>
    row.bytes(column.hash).length +
    row.integer(column.size) +
    row.integer(column.mode) +
    row.integer(column.mtime) +
    row.integer(column.flags) +
    row.latin1(column.name).length +
    row.latin1(column.symlink).length +
    row.integer(column.uid) +
    row.integer(column.gid);
  const halves = (key: Buffer) =>
    [key.readInt32LE(4), key.readInt32LE(0), key.readInt32LE(12), key.readInt32LE(8)] as const;
  const keys = entries.map(halves);
  const parents = directories.map(halves);
  let sum = 0;
  const order = sequence(entries.length);
  const lookups = rate(LOOKUPS, () => {
    for (const i of order) {
      const [high1, low1, high2, low2] = keys[i];
      if (!table.seek(byPath.first(high1, low1, high2, low2), row)) throw new Error('not found');
      sum += decode();
    }
  });
  const rowids: number[] = [];
  const listed = rate(ENTRIES, () => {
    for (const [high1, low1, high2, low2] of parents) {
      rowids.length = 0;
      byParent.all(high1, low1, high2, low2, rowids);
      if (rowids.length !== PER_DIRECTORY) throw new Error('incomplete listing');
      for (const rowid of rowids) {
        table.seek(rowid, row);
        sum += decode();
      }
    }
  });
  const scanned = rate(ENTRIES, () => {
    for (const _ of table.scan(row)) sum += decode();
  });
  if (sum === 0) throw new Error('nothing was decoded');
  database.close();
  return { lookups, listed, scanned };
}
