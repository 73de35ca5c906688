// Each contradiction in a file's structure is refused as what it is.
import test from 'ava';
import { SqliteError } from '../../src/sqlite/error.ts';
import { Row } from '../../src/sqlite/row.ts';
import { openBytes, rowsByReader } from './comparison.ts';
import { madeDatabase, PAGE, soundDatabase, TYPES } from './sound-database.ts';

const sound = soundDatabase();

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
  const made = madeDatabase(`CREATE TABLE t (a INTEGER, b INTEGER); CREATE INDEX i ON t (a, b);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t SELECT 5, 5 FROM n`);
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
