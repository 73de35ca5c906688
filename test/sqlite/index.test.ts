import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'ava';
import type { Table } from '../../src/sqlite/table.ts';
import { openBytes } from './comparison.ts';

const directory = mkdtempSync(join(tmpdir(), 'sqlite-index-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
function table(sql: string, name = 't'): Table {
  const file = join(directory, `${files++}.db`);
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
  return openBytes(readFileSync(file)).table(name);
}

/** Rows with (a, b, c) = (1, 2, 3), (2, 3, 1), (3, 1, 2): which index is which shows in what it finds. */
const ROWS = 'INSERT INTO t (a, b, c) VALUES (1, 2, 3), (2, 3, 1), (3, 1, 2)';

test('automatic indexes are told apart by the order of their constraints', (t) => {
  for (const columns of [
    'a INTEGER, b INTEGER, c INTEGER, UNIQUE (b, c), PRIMARY KEY (a, b), UNIQUE (c, a)',
    'a INTEGER UNIQUE, b INTEGER, c INTEGER, CONSTRAINT x PRIMARY KEY (a, b), CONSTRAINT y UNIQUE (b, c) UNIQUE (c, a), UNIQUE (b, c)',
    'a INTEGER CHECK (a IN (1, 2, 3)) NOT NULL UNIQUE, b INT DEFAULT (1 + 1) REFERENCES t ON DELETE SET DEFAULT, c TEXT COLLATE NOCASE, id INTEGER PRIMARY KEY, UNIQUE (c, a), UNIQUE (c COLLATE NOCASE, a), UNIQUE (b, c), UNIQUE (a, b)',
    'a INTEGER UNIQUE PRIMARY KEY DESC, b INTEGER, c INTEGER, UNIQUE (a, b), UNIQUE (b, c), UNIQUE (c, a)',
  ]) {
    const found = table(`CREATE TABLE t (${columns}); ${ROWS}`);
    const first = (names: string[], one: number, two: number) => found.index(names)?.first(0, one, 0, two);
    const textual = columns.includes('TEXT');
    t.deepEqual([first(['a', 'b'], 1, 2), first(['a', 'b'], 2, 3), first(['a', 'b'], 3, 1)], [1, 2, 3], columns);
    if (!textual)
      t.deepEqual([first(['b', 'c'], 2, 3), first(['c', 'a'], 3, 1), first(['c', 'a'], 1, 3)], [1, 1, 0], columns);
    t.is(found.index(['c', 'b']), undefined);
  }
});

test('an INTEGER PRIMARY KEY is the rowid and has no index', (t) => {
  for (const columns of [
    'a INTEGER PRIMARY KEY, b, c',
    'a INTEGER, b, c, PRIMARY KEY (a DESC)',
    '"a" integer primary key autoincrement, b, c',
  ]) {
    const found = table(`CREATE TABLE t (${columns}, UNIQUE (b, c)); ${ROWS}`);
    t.is(found.index(['a']), undefined);
    t.is(found.index(['b', 'c'])?.first(0, 3, 0, 1), 2);
  }
});

test('indexes that lack rows or go down are not used', (t) => {
  for (const index of ['(a, b) WHERE c > 1', '(a DESC, b)', '(a, b DESC)', '(a + 0, b)', '(a, abs(b))', '(b, a)']) {
    const found = table(`CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER); CREATE INDEX i ON t ${index}; ${ROWS}`);
    t.is(found.index(['a', 'b']), undefined, index);
  }
  const found = table(
    `CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER); CREATE INDEX "i ON" ON "t"("A", [b] COLLATE BINARY ASC, c DESC); ${ROWS}`,
  );
  t.is(found.index(['a', 'b'])?.first(0, 2, 0, 3), 2);
});

test('indexes still fit after tables and columns were renamed', (t) => {
  const found = table(
    `CREATE TABLE was (x INTEGER, b INTEGER, c INTEGER, PRIMARY KEY (x, b)); CREATE INDEX i ON was (b, c);
     ALTER TABLE was RENAME TO t; ALTER TABLE t RENAME COLUMN x TO a; ${ROWS}`,
  );
  t.is(found.index(['a', 'b'])?.first(0, 3, 0, 1), 3);
  t.is(found.index(['b', 'c'])?.first(0, 3, 0, 1), 2);
});

test('rowids that could be taken for none are refused by first, not by all', (t) => {
  const found = table(
    'CREATE TABLE t (a INTEGER, b INTEGER, PRIMARY KEY (a, b)); INSERT INTO t (rowid, a, b) VALUES (0, 1, 1), (-5, 2, 2)',
  );
  const index = found.index(['a', 'b']);
  t.throws(() => index?.first(0, 1, 0, 1), { code: 'RANGE' });
  t.throws(() => index?.first(0, 2, 0, 2), { code: 'RANGE' });
  const rowids: number[] = [];
  index?.all(0, 2, 0, 2, rowids);
  t.deepEqual(rowids, [-5]);
});
