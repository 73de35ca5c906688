import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import test from 'ava';
import { digestOf } from '../../src/repository/digest.ts';

const VECTORS = {
  sha1: ['da39a3ee5e6b4b0d3255bfef95601890afd80709', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  rmd160: ['9c1185a5c5e9fc54612808977ee8f548b2258d31-rmd160', '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc-rmd160'],
  shake128: ['7f9c2ba4e88f827d616045507605853ed73b8093-shake128', '5881092dd818bf5cf8a3ddb793fbcba74097d5c5-shake128'],
} as const;

for (const algorithm of ['sha1', 'rmd160', 'shake128'] as const) {
  test(`${algorithm} gives the hash strings of the format`, (t) => {
    const hashes = ['', 'abc'].map((text) => digestOf(algorithm, Buffer.from(text)).toString());
    t.deepEqual(hashes, [...VECTORS[algorithm]]);
  });
}

test.serial('where OpenSSL refuses an algorithm, the error says so', (t) => {
  const { createHash } = crypto;
  t.teardown(() => {
    crypto.createHash = createHash;
    syncBuiltinESMExports();
  });
  // A Node that runs in FIPS mode cannot be made here: this is what its createHash does.
  const cause = new Error('error:0308010C:digital envelope routines::unsupported');
  crypto.createHash = () => {
    throw cause;
  };
  syncBuiltinESMExports();
  t.throws(() => digestOf('rmd160', Buffer.of()), { code: 'NoAlgorithm', message: /RIPEMD-160: OpenSSL .*FIPS/ });
});
