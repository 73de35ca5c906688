import test from 'ava';
import fc from 'fast-check';
import { Accounts, onDisk } from '../../../src/cache/quota/accounts.ts';
import { encodeLine, type LedgerLine, parseLine } from '../../../src/cache/quota/ledger-line.ts';

const hash = fc
  .tuple(fc.integer({ min: 0, max: 12 }), fc.constantFrom('', '-rmd160', '-shake128'))
  .map(([n, suffix]) => n.toString(16).padStart(40, 'a') + suffix);
/** Of transfers: never the hash of an object. */
const number = fc.integer({ min: 0, max: 3 }).map((n) => n.toString(16).padStart(40, 'b'));
const label = fc.string({ unit: 'grapheme-ascii', maxLength: 60 });
const line: fc.Arbitrary<LedgerLine> = fc.oneof(
  fc.record({
    type: fc.constant('stored' as const),
    hash,
    size: fc.nat({ max: 100_000 }),
    checksum: fc.option(fc.nat({ max: 0xffffffff }), { nil: undefined }),
    kind: fc.constantFrom('file' as const, 'catalog' as const),
    label,
  }),
  fc.record({
    type: fc.constantFrom('used' as const, 'removed' as const, 'pinned' as const, 'unpinned' as const),
    hash,
  }),
  fc.record({ type: fc.constant('transfer' as const), hash: number, size: fc.nat({ max: 100_000 }) }),
  fc.record({ type: fc.constant('removed' as const), hash: number }),
  fc.record({ type: fc.constant('wanted' as const), bytes: fc.maxSafeNat().map((n) => n % 1e15), seconds: fc.nat() }),
  fc.record({ type: fc.constant('event' as const), seconds: fc.nat(), word: fc.constantFrom('cleanup', 'scan 1-2') }),
);

test('every line is read as it was written', (t) => {
  fc.assert(fc.property(line, (made) => void t.deepEqual(parseLine(encodeLine(made).slice(0, -1)), made)));
});

test('no text makes the parser throw, and a label with line ends stays one line', (t) => {
  fc.assert(fc.property(fc.string(), (text) => void parseLine(text)));
  const text = encodeLine({
    type: 'stored',
    hash: 'a'.repeat(40),
    size: 1,
    checksum: 2,
    kind: 'file',
    label: 'a\nb\r',
  });
  t.is(text.split('\n').length, 2);
});

/** The same by the plainest means: a list in the order of use. */
function plainly(lines: readonly LedgerLine[]) {
  let objects: { hash: string; size: number; kind: string }[] = [];
  const pinned = new Set<string>();
  const transfers = new Map<string, number>();
  for (const made of lines) {
    if (made.type === 'transfer') transfers.set(made.hash, made.size);
    if (made.type === 'stored') objects = [...objects.filter((o) => o.hash !== made.hash), made];
    if (made.type === 'used') {
      const found = objects.find((o) => o.hash === made.hash);
      if (found) objects = [...objects.filter((o) => o !== found), found];
    }
    if (made.type === 'removed') {
      objects = objects.filter((o) => o.hash !== made.hash);
      pinned.delete(made.hash);
      transfers.delete(made.hash);
    }
    if (made.type === 'pinned') pinned.add(made.hash);
    if (made.type === 'unpinned') pinned.delete(made.hash);
  }
  return { objects, pinned, transfers };
}

test('accounts add up, whatever the lines', (t) => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 80 }), (lines) => {
      const accounts = new Accounts();
      for (const made of lines) accounts.apply(made);
      const { objects, pinned, transfers } = plainly(lines);
      const sizes = [...objects.map(({ size }) => size), ...transfers.values()];
      t.is(
        accounts.used,
        sizes.reduce((sum, size) => sum + onDisk(size), 0),
      );
      t.is(accounts.size, objects.length);
      const files = objects.filter(({ kind }) => kind === 'file').map((o) => o.hash);
      const catalogs = objects.filter(({ kind }) => kind === 'catalog').map((o) => o.hash);
      t.deepEqual([...accounts.keys()], [...files, ...catalogs]);
      t.is(
        accounts.victim(Infinity),
        [...files, ...catalogs].find((name) => !pinned.has(name)),
      );
      t.is(
        accounts.pinned,
        objects.filter((o) => pinned.has(o.hash)).reduce((sum, o) => sum + onDisk(o.size), 0),
      );
    }),
    { numRuns: 300 },
  );
});

test('catalogs go last, but not when they take more than their share', (t) => {
  const accounts = new Accounts();
  const put = (name: string, kind: 'file' | 'catalog') =>
    accounts.apply({ type: 'stored', hash: name, size: 4096, checksum: undefined, kind, label: '' });
  put('catalog', 'catalog');
  put('file', 'file');
  t.is(accounts.victim(5000), 'file');
  t.is(accounts.victim(4000), 'catalog');
});

test('what nobody knew of is older than all that is known', (t) => {
  const accounts = new Accounts();
  accounts.apply({ type: 'stored', hash: 'known', size: 1, checksum: undefined, kind: 'file', label: '' });
  accounts.addOlder([
    { hash: 'old', size: 4097 },
    { hash: 'known', size: 5 },
    { hash: 'less old', size: 1 },
  ]);
  t.deepEqual([...accounts.keys()], ['old', 'less old', 'known']);
  t.is(accounts.used, 8192 + 4096 + 4096);
});

test('a transfer that is not noted any more is told from one that is', (t) => {
  const accounts = new Accounts();
  const note = (hash: string) => accounts.apply({ type: 'transfer', hash, size: 4096 });
  note('killed');
  note('alive');
  t.deepEqual(accounts.silentTransfers(), []);
  note('alive');
  t.deepEqual(accounts.silentTransfers(), ['killed']);
  accounts.remove('killed');
  t.is(accounts.used, 4096);
  t.deepEqual(accounts.silentTransfers(), ['alive']);
});
