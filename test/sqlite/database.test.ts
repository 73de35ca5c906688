import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'ava';
import { Database } from '../../src/sqlite/database.ts';
import { SqliteError } from '../../src/sqlite/error.ts';
import { PageCache } from '../../src/sqlite/page-cache.ts';
import { Row } from '../../src/sqlite/row.ts';
import { memorySource, openBytes } from './comparison.ts';

const directory = mkdtempSync(join(tmpdir(), 'sqlite-database-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
function made(sql: string): Buffer {
  const file = join(directory, `${files++}.db`);
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
  return readFileSync(file);
}

function changed(bytes: Buffer, at: number, ...values: number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(values, at);
  return copy;
}

const simple = made('CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, NULL), (9223372036854775807, 2)');

test('files that are not SQLite 3 databases are refused', (t) => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('SQLite format 3\0'),
    Buffer.alloc(8192),
    changed(simple, 0, 0x54),
  ]) {
    t.throws(() => openBytes(bytes), { instanceOf: SqliteError, code: 'NOT_A_DATABASE' });
  }
  for (const pageSize of [
    [0x10, 0x01],
    [1, 0],
    [0, 0],
    [0, 2],
  ]) {
    t.throws(() => openBytes(changed(simple, 16, ...pageSize)), { code: 'NOT_A_DATABASE' });
  }
});

test('a write-ahead log, UTF-16 and unknown formats are refused by name', (t) => {
  const log = made('PRAGMA journal_mode=WAL; CREATE TABLE t (a)');
  t.throws(() => openBytes(log), { code: 'UNSUPPORTED', message: /write-ahead log/ });
  const utf16 = made("PRAGMA encoding='UTF-16le'; CREATE TABLE t (a)");
  t.throws(() => openBytes(utf16), { code: 'UNSUPPORTED', message: /text encoding 2/ });
  t.throws(() => openBytes(changed(simple, 47, 5)), { code: 'UNSUPPORTED', message: /format 5/ });
});

test('a page count that old writers left alone is not believed', (t) => {
  const old = changed(simple, 92, 0, 0, 0, 0);
  old.writeUInt32BE(77, 28);
  t.is([...openBytes(old).table('t').scan(new Row())].length, 2);
  t.throws(() => openBytes(old.subarray(0, -1)), { code: 'TRUNCATED' });
});

test('tables WITHOUT ROWID and generated columns are refused, and do not hinder other tables', (t) => {
  const reader = openBytes(
    made(`CREATE TABLE w (a PRIMARY KEY) WITHOUT ROWID; CREATE TABLE g (a, b AS (a + 1)); CREATE VIEW v AS SELECT 1;
      CREATE TABLE "Plain ""x""" ([a b] INT, \`c\` TEXT /* , d */, -- e
      f VARCHAR(10, 2)); INSERT INTO "Plain ""x""" VALUES (5, 'c', 'f')`),
  );
  t.throws(() => reader.table('w'), { code: 'UNSUPPORTED', message: /WITHOUT ROWID/ });
  t.throws(() => reader.table('g'), { code: 'UNSUPPORTED', message: /generated/ });
  t.throws(() => reader.table('v'), { code: 'NO_SUCH_TABLE', message: /no table v/ });
  t.deepEqual([reader.hasTable('w'), reader.hasTable('v'), reader.hasTable('PLAIN "X"')], [true, false, true]);
  const table = reader.table('plain "x"');
  t.deepEqual(table.columns, ['a b', 'c', 'f']);
  t.is(table.column('F'), 2);
  t.is(table.column('g'), -1);
});

test('values are given as what they are or refused, never guessed', (t) => {
  const table = openBytes(simple).table('t');
  const row = new Row();
  t.true(table.seek(1, row));
  t.true(row.isNull(1));
  t.deepEqual([row.integer(1), row.high(1), row.low(1), row.latin1(1), row.bytes(1).length], [0, 0, 0, '', 0]);
  t.deepEqual([row.isNull(-1), row.integer(-1), row.latin1(-1)], [true, 0, '']);
  t.true(table.seek(2, row));
  t.throws(() => row.integer(0), { code: 'RANGE', message: /column a of row 2/ });
  t.deepEqual([row.high(0), row.low(0)], [0x7fffffff, -1]);
  t.throws(() => row.integer(1), { code: 'TYPE', message: /column b of row 2 holds a text/ });
  t.throws(() => row.bytes(0), { code: 'TYPE' });
  t.throws(() => new Row().integer(0), { code: 'TYPE' });
});

test('text that is not UTF-8 keeps its bytes', (t) => {
  const table = openBytes(made("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (CAST(x'e9ff0041' AS TEXT))")).table('t');
  const row = new Row();
  table.seek(1, row);
  t.is(row.latin1(0), '\u00e9\u00ff\0A');
});

test('the columns of added rows keep their place when another table is read with the same row', (t) => {
  const reader = openBytes(
    made(`CREATE TABLE old (a, CONSTRAINT pk PRIMARY KEY (a)); INSERT INTO old VALUES ('before');
      ALTER TABLE old ADD COLUMN xattr BLOB; ALTER TABLE old ADD COLUMN n INTEGER DEFAULT 300;
      INSERT INTO old VALUES ('after', x'01', 2); CREATE TABLE other (a, b, c, d); INSERT INTO other VALUES (1, 2, 3, 4)`),
  );
  const row = new Row();
  const old = reader.table('old');
  const values = () => [row.latin1(0), row.bytes(1).toString('hex'), row.integer(2)];
  old.seek(1, row);
  t.deepEqual(values(), ['before', '', 300]);
  reader.table('other').seek(1, row);
  t.is(row.integer(3), 4);
  old.seek(2, row);
  t.deepEqual(values(), ['after', '01', 2]);
});

test('a source that fails, ends early, or is closed gives a SqliteError with the cause', (t) => {
  let closed = 0;
  const broken = new Error('EIO: i/o error');
  const source = { ...memorySource(simple), close: () => closed++ };
  const failing = {
    ...source,
    read: () => {
      throw broken;
    },
  };
  t.is(t.throws(() => Database.open(failing), { code: 'IO', message: /EIO/ })?.cause, broken);
  t.throws(() => Database.open({ ...source, read: () => 0 }), { code: 'TRUNCATED' });
  t.is(closed, 2, 'closed when opening fails');
  const database = Database.open(source);
  const table = database.table('t');
  database.close();
  database.close();
  t.is(closed, 3);
  t.throws(() => table.seek(1, new Row()), { code: 'CLOSED' });
});

test('databases share one bounded cache and leave it when they are closed', (t) => {
  const cache = new PageCache(64 * 1024);
  const large =
    made(`PRAGMA page_size=1024; CREATE TABLE t (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000)
    INSERT INTO t SELECT printf('%0100d', i) FROM n`);
  const sixteen = made(`PRAGMA page_size=16384; CREATE TABLE t (a); INSERT INTO t VALUES ('${'x'.repeat(100_000)}')`);
  const readers = [large, large, sixteen].map((bytes) => Database.open(memorySource(bytes), { cachePages: cache }));
  const row = new Row();
  for (let round = 0; round < 3; round++) {
    for (const reader of readers) {
      let last = '';
      for (const _ of reader.table('t').scan(row)) {
        last = row.latin1(0);
        t.true(cache.bytes <= cache.budget);
      }
      t.is(last.length, reader === readers[2] ? 100_000 : 100);
    }
  }
  readers[0].close();
  t.true(readers[1].table('t').seek(1999, row));
  t.is(Number(row.latin1(0)), 1999);
  cache.budget = 4096;
  t.true(cache.bytes <= 4096);
  t.true(readers[1].table('t').seek(7, row));
  readers[1].close();
  readers[2].close();
  t.is(cache.bytes, 0);
});
