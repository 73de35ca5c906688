import test from 'ava';
import { compressionOf, contentFlags, FLAG_FILE, hashAlgorithmOf } from '../../src/repository/entry-flags.ts';

test('hash and compression are where the reference has them', (t) => {
  t.is(FLAG_FILE | contentFlags('sha1', 'zlib'), 4);
  t.is(FLAG_FILE | contentFlags('rmd160', 'zlib'), 0x104);
  t.is(FLAG_FILE | contentFlags('shake128', 'zlib'), 0x204);
  t.is(FLAG_FILE | contentFlags('sha1', 'none'), 0x804);
});

test('they are read back, and unknown ones are not guessed', (t) => {
  for (const algorithm of ['sha1', 'rmd160', 'shake128'] as const) {
    for (const compression of ['zlib', 'none'] as const) {
      const flags = contentFlags(algorithm, compression) | 0x180ff;
      t.is(hashAlgorithmOf(flags), algorithm);
      t.is(compressionOf(flags), compression);
    }
  }
  t.is(hashAlgorithmOf(0x300), undefined);
  t.is(compressionOf(0x1000), undefined);
});
