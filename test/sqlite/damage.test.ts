// A damaged file gives the rows that SQLite finds in it or a SqliteError: nothing else, and soon.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'ava';
import fc from 'fast-check';
import { SqliteError } from '../../src/sqlite/error.ts';
import { Row } from '../../src/sqlite/row.ts';
import { openBytes, rowsByReader, rowsBySqlite } from './comparison.ts';

const PAGE = 512;
const TYPES = ['INTEGER', 'INTEGER', 'TEXT'];
const directory = mkdtempSync(join(tmpdir(), 'sqlite-damage-'));
const sound = makeSound();
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

/** Trees of three levels, long rows on overflow pages, free pages. */
function makeSound(): Buffer {
  const file = join(directory, 'sound.db');
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA page_size=${PAGE}; PRAGMA synchronous=OFF; CREATE TABLE t (a INTEGER, b INTEGER, c TEXT, PRIMARY KEY (a, b));
    CREATE INDEX by_b ON t (b, a); BEGIN`);
  const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?)');
  for (let i = 0; i < 700; i++) {
    const far = BigInt.asIntN(64, BigInt(i) * 0x9e3779b97f4a7c15n);
    insert.run(far, i % 7, i % 90 === 0 ? 'long '.repeat(500) : `name ${i}`);
  }
  database.exec('DELETE FROM t WHERE rowid BETWEEN 200 AND 260; COMMIT');
  database.close();
  return readFileSync(file);
}

/** All that can be asked; every failure but a SqliteError escapes. Gives the rows of a scan, or undefined. */
function readAll(bytes: Buffer): string[] | undefined {
  const started = performance.now();
  let rows: string[] | undefined;
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
    }
  };
  attempt(() => {
    const reader = openBytes(bytes);
    const table = reader.table('t');
    attempt(() => {
      rows = rowsByReader(reader, 't', TYPES);
    });
    const row = new Row();
    for (let i = 0; i < 20; i++) {
      attempt(() => table.seek(i * 40, row) && row.bytes(2));
      attempt(() => table.index(['a', 'b'])?.first(i << 27, i, 0, i % 7));
      attempt(() => table.index(['b', 'a'])?.all(0, i % 7, 0, 0, []));
    }
    attempt(() => table.maxRowid());
  });
  if (performance.now() - started > 5000) throw new Error('reading took more than 5 s');
  return rows;
}

/** What SQLite reads, if it holds the file for sound. */
function rowsIfSound(bytes: Buffer): string[] | undefined {
  const file = join(directory, 'damaged.db');
  writeFileSync(file, bytes);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const verdict = database.prepare('PRAGMA integrity_check(1)').get() as { integrity_check: string };
    return verdict.integrity_check === 'ok' ? rowsBySqlite(database, 't') : undefined;
  } catch {
    return undefined;
  } finally {
    database?.close();
  }
}

function check(bytes: Buffer): { ours: string[] | undefined; theirs: string[] | undefined } {
  const ours = readAll(bytes);
  const theirs = rowsIfSound(bytes);
  if (ours !== undefined && theirs !== undefined && ours.join('\n') !== theirs.join('\n')) {
    throw new Error('SQLite holds the file for sound and reads other rows');
  }
  return { ours, theirs };
}

const byte = fc.nat(255);
/** Mostly where the structure is: at the beginning of a page, or anywhere. */
const place = fc.oneof(
  fc.tuple(fc.nat(sound.length / PAGE - 1), fc.nat(15)).map(([page, at]) => page * PAGE + at),
  fc.nat(sound.length - 1),
  fc.nat(99),
);

test('flipped bytes give the right rows or a SqliteError', (t) => {
  let refused = 0;
  let read = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(place, byte), { minLength: 1, maxLength: 4 }), (flips) => {
      const bytes = Buffer.from(sound);
      for (const [at, value] of flips) bytes[at] = value;
      const { ours, theirs } = check(bytes);
      if (ours === undefined) refused++;
      else if (theirs !== undefined) read++;
    }),
    { numRuns: 500 },
  );
  t.true(refused > 20, `${refused} refused`);
  t.true(read > 20, `${read} read as SQLite reads them`);
});

test('pages in the place of others give the right rows or a SqliteError', (t) => {
  const page = fc.nat(sound.length / PAGE - 1);
  fc.assert(
    fc.property(page, page, (from, to) => {
      const bytes = Buffer.from(sound);
      sound.copy(bytes, to * PAGE, from * PAGE, (from + 1) * PAGE);
      check(bytes);
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test('a truncated file is refused, wherever it ends', (t) => {
  fc.assert(
    fc.property(fc.nat(sound.length - 1), (size) => {
      const error = t.throws(() => openBytes(sound.subarray(0, size)), { instanceOf: SqliteError });
      t.is(error?.code, size < 100 ? 'NOT_A_DATABASE' : 'TRUNCATED');
    }),
  );
});

test('a file of noise is refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000, size: 'max' }), (noise) => {
      const afterHeader = Buffer.from(sound);
      afterHeader.set(noise.subarray(0, sound.length - PAGE), PAGE);
      check(afterHeader);
      t.throws(() => openBytes(Buffer.from(noise)), { code: 'NOT_A_DATABASE' });
    }),
    { numRuns: 50 },
  );
});

/** Page number of the first page of a kind, with where its header starts. */
function pageOfKind(bytes: Buffer, kind: number): number {
  for (let at = PAGE; at < bytes.length; at += PAGE) if (bytes[at] === kind) return at / PAGE + 1;
  throw new Error(`no page of kind ${kind}`);
}

test('a tree that leads back into itself is refused', (t) => {
  for (const [kind, ask] of [
    [5, (table) => [...table.scan(new Row())]],
    [5, (table) => table.maxRowid()],
    [5, (table) => table.seek(2 ** 40, new Row())],
    [2, (table) => table.index(['a', 'b'])?.first(0x7fffffff, -1, 0, 0)],
    [2, (table) => table.index(['a', 'b'])?.all(0x7fffffff, -1, 0, 0, [])],
  ] as [number, (table: ReturnType<ReturnType<typeof openBytes>['table']>) => unknown][]) {
    const bytes = Buffer.from(sound);
    for (let at = PAGE; at < bytes.length; at += PAGE) {
      if (bytes[at] === kind) bytes.writeUInt32BE(at / PAGE + 1, at + 8);
    }
    t.throws(() => ask(openBytes(bytes).table('t')), { instanceOf: SqliteError, code: 'CORRUPT' });
  }
});

test('pointers to pages that are not there, or are of the other kind, are refused', (t) => {
  for (const target of [0, sound.length / PAGE + 1, 0xffffffff, pageOfKind(sound, 10)]) {
    const bytes = Buffer.from(sound);
    bytes.writeUInt32BE(target, (pageOfKind(bytes, 5) - 1) * PAGE + 8);
    t.throws(() => openBytes(bytes).table('t').maxRowid(), { instanceOf: SqliteError, code: 'CORRUPT' });
  }
});

test('cells beyond their page are refused', (t) => {
  for (const pointer of [0, 9, PAGE - 3, PAGE, 0xffff]) {
    const bytes = Buffer.from(sound);
    for (let at = PAGE; at < bytes.length; at += PAGE) if (bytes[at] === 13) bytes.writeUInt16BE(pointer, at + 8);
    t.throws(() => rowsByReader(openBytes(bytes), 't', TYPES), { code: 'CORRUPT', message: /outside of its page/ });
  }
});

test('a leaf without cells is refused', (t) => {
  const bytes = Buffer.from(sound);
  bytes.writeUInt16BE(0, (pageOfKind(bytes, 13) - 1) * PAGE + 3);
  t.throws(() => rowsByReader(openBytes(bytes), 't', TYPES), { code: 'CORRUPT', message: /is empty/ });
});

test('a page that stands in two places of a tree is refused', (t) => {
  const bytes = Buffer.from(sound);
  const leaf = pageOfKind(bytes, 13);
  bytes.writeUInt32BE(leaf, (pageOfKind(bytes, 5) - 1) * PAGE + 8);
  t.throws(() => rowsByReader(openBytes(bytes), 't', TYPES), { code: 'CORRUPT', message: /follows row/ });
});

test('a record that is longer than its values is refused', (t) => {
  const bytes = Buffer.from(sound);
  const name = bytes.indexOf('name 13');
  // The serial types of a (8 bytes), b (1 byte) and c stand before the values.
  const typeOfName = name - 9 - 1;
  t.is(bytes[typeOfName], 13 + 2 * 7);
  bytes[typeOfName] -= 2;
  t.throws(() => rowsByReader(openBytes(bytes), 't', TYPES), { code: 'CORRUPT', message: /does not fit its record/ });
});

test('an overflow chain that is too long or too short is refused', (t) => {
  const free = sound.length / PAGE;
  for (const change of [(next: number) => (next === 0 ? free : next), () => 0]) {
    const bytes = Buffer.from(sound);
    for (let at = PAGE; at < bytes.length; at += PAGE) {
      const text = bytes.toString('latin1', at + 4, at + PAGE);
      if (/^[ong ]*(long )+/.test(text)) bytes.writeUInt32BE(change(bytes.readUInt32BE(at)), at);
    }
    t.throws(() => rowsByReader(openBytes(bytes), 't', TYPES), { instanceOf: SqliteError, code: 'CORRUPT' });
  }
});

/** An index whose keys are all the same, so that look-ups want every page of it, in a file with `pages` more pages. */
function equalKeys(pages: number): { bytes: Buffer; interior: number; free: number } {
  const file = join(directory, 'equal.db');
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA page_size=${PAGE}; PRAGMA synchronous=OFF; CREATE TABLE t (a INTEGER, b INTEGER); CREATE INDEX i ON t (a, b);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t SELECT 5, 5 FROM n`);
  database.close();
  const made = readFileSync(file);
  rmSync(file);
  const bytes = Buffer.alloc(made.length + pages * PAGE);
  made.copy(bytes);
  bytes.writeUInt32BE(bytes.length / PAGE, 28);
  return { bytes, interior: pageOfKind(made, 2), free: made.length / PAGE + 1 };
}

/** Makes all children of an interior page the page `child`. */
function leadTo(bytes: Buffer, page: number, child: number): void {
  const at = (page - 1) * PAGE;
  bytes.writeUInt32BE(child, at + 8);
  for (let i = 0; i < bytes.readUInt16BE(at + 3); i++)
    bytes.writeUInt32BE(child, at + bytes.readUInt16BE(at + 12 + 2 * i));
}

const allFives = (bytes: Buffer) => {
  const rowids: number[] = [];
  openBytes(bytes).table('t').index(['a', 'b'])?.all(0, 5, 0, 5, rowids);
  return rowids;
};

test('an index that could be walked in endlessly many ways is refused soon', (t) => {
  t.is(allFives(equalKeys(0).bytes).length, 400);
  const { bytes, interior, free } = equalKeys(20);
  const leaf = pageOfKind(bytes, 10);
  const image = Buffer.from(bytes.subarray((interior - 1) * PAGE, interior * PAGE));
  for (let level = 0; level < 15; level++) {
    image.copy(bytes, (free + level - 1) * PAGE);
    leadTo(bytes, free + level, level === 14 ? leaf : free + level + 1);
  }
  leadTo(bytes, interior, free);
  t.throws(() => allFives(bytes), { code: 'CORRUPT', message: /leads back into itself/ });
});

test('an index that is a bottomless pit is refused, also in a large file', (t) => {
  const { bytes, interior } = equalKeys(40_000);
  leadTo(bytes, interior, interior);
  t.throws(() => allFives(bytes), { code: 'CORRUPT', message: /leads back into itself/ });
});

test('a table that is a bottomless pit is refused', (t) => {
  const bytes = Buffer.from(sound);
  const interior = pageOfKind(bytes, 5);
  leadTo(bytes, interior, interior);
  t.throws(() => rowsByReader(openBytes(bytes), 't', TYPES), { code: 'CORRUPT', message: /leads back into itself/ });
});
