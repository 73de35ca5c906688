import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { hashPath, newPathHash } from '../../src/repository/path-hash.ts';

function columns(path: string): [bigint, bigint] {
  const hash = newPathHash();
  hashPath(path, hash);
  const join = (high: number, low: number) => (BigInt(high) << 32n) | BigInt(low >>> 0);
  return [join(hash.hi1, hash.lo1), join(hash.hi2, hash.lo2)];
}

function expected(path: string): [bigint, bigint] {
  const digest = createHash('md5').update(Buffer.from(path, 'latin1')).digest();
  return [digest.readBigInt64LE(0), digest.readBigInt64LE(8)];
}

const VECTORS: readonly [string, bigint, bigint][] = [
  ['', 338333539836370388n, 9098107892288553193n],
  ['/foo', 5745132282796244766n, -5819618580357280866n],
  ['/.cvmfs', -2402492567927477437n, -171651727507129842n],
  ['/a/b', -79414819578584146n, 8517581007188477988n],
];

for (const [path, first, second] of VECTORS) {
  test(`the path "${path}" has the columns the reference gives it`, (t) => {
    t.deepEqual(columns(path), [first, second]);
  });
}

test('every length around the block boundaries is hashed like MD5', (t) => {
  for (let length = 0; length <= 260; length++) {
    const path = String.fromCharCode(...Array.from({ length }, (_, i) => (i * 37 + length) & 0xff));
    t.deepEqual(columns(path), expected(path), `length ${length}`);
  }
});

test('any path of bytes is hashed like MD5', (t) => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(bytes, (content) => {
      const path = Buffer.from(content).toString('latin1');
      t.deepEqual(columns(path), expected(path));
    }),
  );
});
