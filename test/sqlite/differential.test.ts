// Our reader against SQLite on databases that SQLite made from random schemas and rows.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import test from 'ava';
import fc from 'fast-check';
import { Row } from '../../src/sqlite/row.ts';
import { columnsOf, openBytes, rowsByReader, rowsBySqlite, rowText } from './comparison.ts';

const directory = mkdtempSync(join(tmpdir(), 'sqlite-differential-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const TYPES = ['INTEGER', 'TEXT', 'BLOB', 'REAL', ''] as const;
const DEFAULTS = [
  '',
  "DEFAULT 'it''s'",
  'DEFAULT -7',
  'DEFAULT NULL',
  "DEFAULT x'00ff'",
  'NOT NULL DEFAULT 9000000000',
];

/** Integers of every width that SQLite stores, around the borders. */
const integer = fc
  .tuple(fc.integer({ min: 0, max: 63 }), fc.constantFrom(-1n, 0n, 1n), fc.boolean())
  .map(([bits, step, negative]) => BigInt.asIntN(64, (negative ? -1n : 1n) * (1n << BigInt(bits)) + step));
const value: fc.Arbitrary<SQLInputValue> = fc.oneof(
  integer,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true }),
  fc.constant(null),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.uint8Array({ maxLength: 40 }),
  fc.tuple(fc.integer({ min: 100, max: 9000 }), fc.nat(255)).map(([size, byte]) => new Uint8Array(size).fill(byte)),
  fc.integer({ min: 100, max: 9000 }).map((size) => 'overflow '.repeat(size / 9)),
);
const rowid = fc.oneof(fc.integer({ min: 1, max: 400 }), fc.maxSafeInteger());
const plan = fc.record({
  pageSize: fc.constantFrom(512, 1024, 2048, 4096, 8192, 16384, 32768, 65536),
  autoVacuum: fc.constantFrom(0, 1, 2),
  types: fc.array(fc.constantFrom(...TYPES), { minLength: 2, maxLength: 6 }),
  alias: fc.constantFrom('', 'id INTEGER PRIMARY KEY, ', 'id integer primary key autoincrement, '),
  rows: fc.array(fc.tuple(rowid, fc.array(value, { minLength: 6, maxLength: 6 })), { maxLength: 150, size: 'max' }),
  deleted: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 80, size: 'max' }),
  added: fc.array(fc.constantFrom(...DEFAULTS), { maxLength: 3 }),
});

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

let files = 0;
function build({ pageSize, autoVacuum, types, alias, rows, deleted, added }: Plan) {
  const file = join(directory, `${files++}.db`);
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA page_size=${pageSize}; PRAGMA auto_vacuum=${autoVacuum}; PRAGMA synchronous=OFF`);
  const names = types.map((type, i) => `c${i} ${type}`);
  database.exec(`CREATE TABLE t (${alias}${names.join(', ')}); BEGIN`);
  const marks = types.map(() => '?').join(',');
  const columns = types.map((_, i) => `c${i}`).join(',');
  const insert = database.prepare(`INSERT OR REPLACE INTO t (rowid, ${columns}) VALUES (?, ${marks})`);
  for (const [id, values] of rows) insert.run(id, ...values.slice(0, types.length));
  for (const id of deleted) database.prepare('DELETE FROM t WHERE rowid=?').run(id);
  for (const [i, fallback] of added.entries()) database.exec(`ALTER TABLE t ADD COLUMN later${i} ${fallback}`);
  database.exec('COMMIT');
  return { database, bytes: readFileSync(file), file };
}

test('every row of a random table is what SQLite reads', (t) => {
  fc.assert(
    fc.property(plan, (chosen) => {
      const { database, bytes, file } = build(chosen);
      const expected = rowsBySqlite(database, 't');
      const columns = columnsOf(database, 't');
      const types = columns.map(({ type }) => type);
      database.close();
      rmSync(file);
      const reader = openBytes(bytes);
      const table = reader.table('T');
      t.deepEqual(
        [...table.columns],
        columns.map(({ name }) => name.toLowerCase()),
      );
      t.deepEqual(rowsByReader(reader, 't', types), expected);

      const row = new Row();
      const rowids = expected.map((text) => Number(text.split(' ', 1)[0]));
      for (const [i, id] of rowids.entries()) {
        t.true(table.seek(id, row));
        t.is(rowText(row, types), expected[i]);
      }
      const known = new Set(rowids);
      for (const id of [0, 1, -1, 401, ...rowids.map((id) => id + 1)]) t.is(table.seek(id, row), known.has(id));
      t.is(table.maxRowid(), rowids.at(-1) ?? 0);
    }),
    { numRuns: 60 },
  );
});

const half = (value: bigint) => [Number(value >> 32n), Number(BigInt.asIntN(32, value))] as const;

test('look-ups through indexes find the rows that SQLite finds', (t) => {
  const key = fc.oneof(fc.constantFrom(0n, 1n, -1n, 255n, 256n), integer);
  const other = fc.oneof(
    { weight: 8, arbitrary: key },
    fc.constantFrom<SQLInputValue>(null, 1.5, -0.5, 1e300, 'text', new Uint8Array(3)),
  );
  const entries = fc.array(fc.tuple(other, other, fc.integer({ min: 0, max: 3000 })), { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(
      fc.constantFrom(512, 1024, 4096),
      entries,
      fc.array(fc.tuple(key, key), { maxLength: 30 }),
      (size, rows, more) => {
        const file = join(directory, `${files++}.db`);
        const database = new DatabaseSync(file);
        database.exec(`PRAGMA page_size=${size}; PRAGMA synchronous=OFF; CREATE TABLE t (a INTEGER, b INTEGER, c TEXT);
        CREATE INDEX by_a_b ON t (a, b); CREATE INDEX long ON t (b, a, c); BEGIN`);
        const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?)');
        for (const [a, b, length] of rows) insert.run(a, b, length % 7 === 0 ? 'x'.repeat(length) : 'short');
        database.exec('COMMIT');
        const table = openBytes(readFileSync(file)).table('t');
        const byBoth = table.index(['a', 'b'])!;
        const overflowing = table.index(['B', 'A'])!;
        const query = (order: string) => {
          const statement = database.prepare(`SELECT rowid FROM t INDEXED BY ${order} WHERE a=? AND b=?`);
          return (a: bigint, b: bigint) => statement.all(a, b).map((found) => Number(found.rowid));
        };
        const [short, long] = [query('by_a_b'), query('long')];
        const stored = rows.filter(([a, b]) => typeof a === 'bigint' && typeof b === 'bigint') as [
          bigint,
          bigint,
          number,
        ][];
        for (const [a, b] of [...stored, ...more]) {
          const found: number[] = [];
          byBoth.all(...half(a), ...half(b), found);
          const expected = short(a, b);
          t.deepEqual(found, expected);
          t.is(byBoth.first(...half(a), ...half(b)), expected[0] ?? 0);
          const others: number[] = [];
          overflowing.all(...half(b), ...half(a), others);
          t.deepEqual(others, long(a, b));
          t.is(overflowing.first(...half(b), ...half(a)), others[0] ?? 0);
        }
        database.close();
        rmSync(file);
      },
    ),
    { numRuns: 60 },
  );
});
