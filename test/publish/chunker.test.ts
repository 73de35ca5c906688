import test from 'ava';
import fc from 'fast-check';
import { type ChunkSizes, checkChunkSizes, findCut } from '../../src/publish/chunker.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

/** Chunk lengths of `data`, found with reads of `step` bytes. */
function cut(data: Uint8Array, sizes: ChunkSizes, step = data.length): number[] {
  const lengths: number[] = [];
  for (let start = 0; start < data.length; ) {
    const rest = data.subarray(start, start + sizes.max);
    let found: number | undefined;
    for (let seen = 0; seen < rest.length && found === undefined; ) {
      const next = Math.min(rest.length, seen + step);
      found = findCut(rest.subarray(0, next), seen, sizes);
      seen = next;
    }
    lengths.push(found ?? rest.length);
    start += lengths.at(-1)!;
  }
  return lengths;
}

const sizes = { min: 4096, average: 8192, max: 16384 };

test('chunks add up to the file and keep to their limits', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200_000 }),
      fc.integer({ min: 0, max: 1000 }),
      fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 5000 })),
      (length, seed, [min, more, most]) => {
        const limits = { min, average: min + more, max: min + more + most };
        const lengths = cut(pseudoRandom(length, seed), limits);
        t.is(
          lengths.reduce((sum, value) => sum + value, 0),
          length,
        );
        t.true(lengths.every((value) => value > 0 && value <= limits.max));
        t.true(lengths.slice(0, -1).every((value) => value >= limits.min));
      },
    ),
    { numRuns: 50 },
  );
});

test('borders do not depend on how much is read at once', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 100, max: 20_000 }), (seed, step) => {
      const data = pseudoRandom(100_000, seed);
      t.deepEqual(cut(data, sizes, step), cut(data, sizes));
    }),
    { numRuns: 30 },
  );
});

test('a change in the middle leaves the borders behind it where they were', (t) => {
  const data = pseudoRandom(400_000, 7);
  const changed = Buffer.concat([data.subarray(0, 100_000), Buffer.from('inserted'), data.subarray(100_000)]);
  const fromTheEnd = (content: Buffer) => {
    let left = content.length;
    return cut(content, sizes).map((length) => {
      left -= length;
      return left;
    });
  };
  const after = new Set(fromTheEnd(changed));
  // It takes a few chunks until both agree again.
  const behind = fromTheEnd(data).filter((border) => border < 300_000 - 3 * sizes.max);
  t.true(behind.length > 20);
  t.true(behind.every((border) => after.has(border)));
});

test('the average length is about what was asked for', (t) => {
  const lengths = cut(pseudoRandom(4_000_000, 11), sizes);
  const average = 4_000_000 / lengths.length;
  t.true(average > sizes.average * 0.8 && average < sizes.average * 1.2, String(average));
});

test('equal sizes give fixed chunks, and zeros are cut at the greatest length', (t) => {
  const fixed = { min: 1000, average: 1000, max: 1000 };
  t.deepEqual(cut(pseudoRandom(3500, 1), fixed), [1000, 1000, 1000, 500]);
  t.deepEqual(cut(Buffer.alloc(40_000), sizes), [16384, 16384, 7232]);
});

test('sizes that contradict each other are refused', (t) => {
  for (const [min, average, max] of [
    [0, 1, 2],
    [2, 1, 3],
    [1, 3, 2],
    [1.5, 2, 3],
    [1, 2, 2 ** 31],
  ] as const) {
    t.throws(() => checkChunkSizes({ min, average, max }), { code: 'OPTION' });
  }
});
