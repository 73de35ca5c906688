// Files that were damaged on disk after they had been verified: an error of this layer or the one below, or the right
// kind of value; never a crash, an endless loop or a foreign error.
import test from 'ava';
import fc from 'fast-check';
import { Catalog } from '../../src/repository/catalog.ts';
import { RepositoryError } from '../../src/repository/errors.ts';
import { readHistory } from '../../src/repository/history.ts';
import { SqliteError } from '../../src/sqlite/error.ts';
import { localObject } from './fixtures.ts';
import { ANY_HASH, catalogFile, insertChunk } from './made-catalog.ts';
import { historyFile } from './made-history.ts';

const rows = Array.from({ length: 60 }, (_, i) => ({
  path: `/file-${i}`,
  size: 20,
  flags: 68,
  hash: Buffer.alloc(20, i),
}));
const CATALOG = catalogFile({ rows, after: rows.map(({ path }) => insertChunk(path, 0, 20)).join('\n') });
const HISTORY = historyFile(Array.from({ length: 20 }, (_, i) => ({ name: `tag-${i}`, revision: i })));

/** Reads everything there is. */
function exercise(file: Buffer): void {
  const catalog = Catalog.open(localObject(file), ANY_HASH);
  try {
    const listed: number[] = [];
    for (let rowid = 1; rowid <= Math.min(catalog.maxRowid, 200); rowid++) {
      const entry = catalog.row(rowid);
      if (!entry) continue;
      catalog.lookup(entry);
      catalog.parentRow(entry);
      catalog.children(entry, listed);
      catalog.xattrs(rowid);
      catalog.hashOf(rowid, 'sha1');
      attempt(() => catalog.chunks(entry));
    }
  } finally {
    catalog.close();
  }
}

/** True when it worked; false when it failed as it may. */
function attempt(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof RepositoryError || error instanceof SqliteError) return false;
    throw error;
  }
}

const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });

function damaged(file: Buffer, changes: [number, number][]): Buffer {
  const copy = Buffer.from(file);
  for (const [at, value] of changes) copy[at % copy.length] = value;
  return copy;
}

test('the undamaged files are read', (t) => {
  t.true(attempt(() => exercise(CATALOG)));
  t.is(readHistory(localObject(HISTORY)).length, 20);
});

test('a catalog with changed bytes', (t) => {
  let failed = 0;
  fc.assert(
    fc.property(damage, (changes) => void (attempt(() => exercise(damaged(CATALOG, changes))) || failed++)),
    { numRuns: 400 },
  );
  t.true(failed > 0);
});

test('a truncated catalog is refused', (t) => {
  for (let length = 0; length < CATALOG.length; length += 331) {
    t.throws(() => Catalog.open(localObject(CATALOG.subarray(0, length)), ANY_HASH), { code: 'BadCatalog' });
  }
});

test('random bytes are refused as a catalog and as a history', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
      const source = () => localObject(Buffer.from(bytes));
      t.throws(() => Catalog.open(source(), ANY_HASH), { code: 'BadCatalog' });
      t.throws(() => readHistory(source()), { code: 'BadHistory' });
    }),
  );
});

test('a history with changed bytes gives tags, or is refused', (t) => {
  fc.assert(
    fc.property(damage, (changes) => {
      try {
        t.true(readHistory(localObject(damaged(HISTORY, changes))).every((tag) => tag.hash.hex.length === 40));
      } catch (error) {
        t.is((error as RepositoryError).code, 'BadHistory');
      }
    }),
    { numRuns: 300 },
  );
});

test('a file is closed when it is refused, once', (t) => {
  for (const open of [(source: ReturnType<typeof localObject>) => Catalog.open(source, ANY_HASH), readHistory]) {
    for (const content of [Buffer.from('nonsense'), CATALOG.subarray(0, 5000), catalogFile({ schema: '9' })]) {
      let closed = 0;
      t.throws(() => open({ ...localObject(content), close: () => closed++ }));
      t.is(closed, 1);
    }
  }
});
