import test from 'ava';
import fc from 'fast-check';
import { type FileContent, OpenFiles } from '../../src/filesystem/open-files.ts';
import { Pending } from '../../src/fuse/operations.ts';
import { pseudoRandom } from '../support/tree-sample.ts';
import { settled, thrownBy } from './made-file-system.ts';
import { MemoryStore } from './memory-store.ts';

function fileOf(store: MemoryStore, content: Buffer, sizes: readonly number[]): FileContent {
  let offset = 0;
  const pieces = sizes.map((size, i) => {
    const hash = store.add(content.subarray(offset, offset + size));
    const request = { hash, letter: 'P', compression: 'none', size, label: `piece ${i}` } as const;
    const piece = { offset, size, request };
    offset += size;
    return piece;
  });
  return { size: offset, pieces };
}

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });

test('what is read is what is there, wherever and however long, across pieces and at the end', async (t) => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(1100), fc.nat(400), async (cuts, offset, length) => {
      const store = new MemoryStore();
      const content = pseudoRandom(
        cuts.reduce((a, b) => a + b),
        cuts.length,
      );
      const file = fileOf(store, content, cuts);
      const target = Buffer.alloc(length, 0xee);
      const got = await settled(() => new OpenFiles(store).read(file, offset, target));
      const expected = content.subarray(offset, offset + length);
      t.is(got, expected.length);
      t.true(target.subarray(0, got).equals(expected) && target.subarray(got).every((byte) => byte === 0xee));
    }),
    { numRuns: 200 },
  );
});

test('a piece that is not local is waited for, and the next ones are fetched ahead', async (t) => {
  const store = new MemoryStore();
  const file = fileOf(store, pseudoRandom(80, 1), Array(8).fill(10));
  const files = new OpenFiles(store);
  const thrown = thrownBy(() => files.read(file, 25, Buffer.alloc(5)));
  t.true(thrown instanceof Pending);
  t.deepEqual(store.fetched, ['piece 2']);
  t.deepEqual(store.prefetched, ['piece 3', 'piece 4', 'piece 5', 'piece 6']);
  await (thrown as Pending).ready;
  t.is(files.read(file, 25, Buffer.alloc(5)), 5);
});

test('a failed fetch is the reader’s, with its reason', async (t) => {
  const store = new MemoryStore();
  const file = fileOf(store, pseudoRandom(10, 1), [10]);
  const elsewhere = new OpenFiles(new MemoryStore());
  await t.throwsAsync(
    settled(() => elsewhere.read(file, 0, Buffer.alloc(10))),
    { message: /cannot download piece 0/ },
  );
});

test('an object that was cut off after it was opened is fetched again', async (t) => {
  const store = new MemoryStore();
  const content = pseudoRandom(100, 3);
  const file = fileOf(store, content, [100]);
  const files = new OpenFiles(store);
  const target = Buffer.alloc(100);
  await settled(() => files.read(file, 0, target));
  store.replaceLocal(file.pieces[0].request.hash, content.subarray(0, 40));
  target.fill(0);
  t.is(await settled(() => files.read(file, 0, target)), 100);
  t.true(target.equals(content));
  t.is(store.fetched.length, 2);
  t.is(store.opened, 1);
});

test('descriptors are bounded, and all are given back', async (t) => {
  const store = new MemoryStore();
  const files = new OpenFiles(store);
  const file = fileOf(store, pseudoRandom(1000, 4), Array(1000).fill(1));
  for (let i = 0; i < 1000; i++) await settled(() => files.read(file, i, Buffer.alloc(1)));
  t.true(store.opened > 0 && store.opened <= 256, String(store.opened));
  files.close();
  t.is(store.opened, 0);
});

test('objects that take memory while they are open are bounded by their bytes', async (t) => {
  const store = new MemoryStore();
  store.inMemory = true;
  const files = new OpenFiles(store);
  const megabyte = 1024 * 1024;
  const content = Buffer.alloc(100 * megabyte);
  for (let i = 0; i < 100; i++) content[i * megabyte] = i;
  const file = fileOf(store, content, Array(100).fill(megabyte));
  for (let i = 0; i < 100; i++) await settled(() => files.read(file, i * megabyte, Buffer.alloc(1)));
  t.is(store.opened, 64);
  const large = fileOf(store, content.subarray(0, 70 * megabyte), [70 * megabyte]);
  t.is(await settled(() => files.read(large, 0, Buffer.alloc(1))), 1);
  t.is(store.opened, 1, 'one is always kept');
  files.close();
  t.is(store.opened, 0);
});

test('known files are bounded by their pieces', (t) => {
  const store = new MemoryStore();
  const files = new OpenFiles(store);
  const { pieces } = fileOf(store, pseudoRandom(1, 7), [1]);
  const [small, large] = [
    { size: 1, pieces },
    { size: 30_000, pieces: Array(30_000).fill(pieces[0]) },
  ];
  for (const [node, content] of [large, large, small, large, small].entries()) files.remember(node, content);
  t.deepEqual(
    [0, 1, 2, 3, 4].filter((node) => files.get(node)),
    [1, 2, 3, 4],
  );
});
