// A damaged file gives the rows that SQLite finds in it or a SqliteError: nothing else, and soon.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'ava';
import fc from 'fast-check';
import { SqliteError } from '../../src/sqlite/error.ts';
import { Row } from '../../src/sqlite/row.ts';
import { openBytes, rowsByReader, rowsBySqlite } from './comparison.ts';
import { PAGE, soundDatabase, TYPES } from './sound-database.ts';

const directory = mkdtempSync(join(tmpdir(), 'sqlite-damage-'));
const sound = soundDatabase();
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

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
    { numRuns: 250 },
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
