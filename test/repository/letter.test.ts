import { createHash, generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import {
  isSignedByMasterKey,
  isSignedByRepositoryKey,
  parseLetter,
  signWithMasterKey,
  signWithRepositoryKey,
} from '../../src/repository/letter.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const other = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ALGORITHMS = ['sha1', 'rmd160', 'shake128'] as const;
const BODY = Buffer.from('C0123\nNa.example.org\n');

for (const algorithm of ALGORITHMS) {
  test(`a letter with a ${algorithm} hash is read back, and verifies with its own key only`, (t) => {
    const manifest = parseLetter(signWithRepositoryKey(BODY, algorithm, privateKey));
    t.deepEqual(manifest.body, BODY);
    t.is(manifest.hash.algorithm, algorithm);
    t.true(isSignedByRepositoryKey(manifest, publicKey));
    t.false(isSignedByRepositoryKey(manifest, other.publicKey));
    const whitelist = parseLetter(signWithMasterKey(BODY, algorithm, privateKey));
    t.true(isSignedByMasterKey(whitelist, [other.publicKey, publicKey]));
    t.false(isSignedByMasterKey(whitelist, [other.publicKey]));
    t.false(isSignedByMasterKey(whitelist, []));
  });
}

test('the signature of a manifest does not pass for that of a whitelist, nor the other way round', (t) => {
  t.false(isSignedByMasterKey(parseLetter(signWithRepositoryKey(BODY, 'sha1', privateKey)), [publicKey]));
  t.false(isSignedByRepositoryKey(parseLetter(signWithMasterKey(BODY, 'sha1', privateKey)), publicKey));
});

test('the hash covers the body with its last newline', (t) => {
  // the manifest of the reference's own test repository
  const body = [
    'Ce1db87c42de2501a3999b6fbbfdf9674ad968e71',
    'D3600',
    'L0000000000000000000000000000000000000000',
    'Ntestmigration.cern.ch',
    'Rd41d8cd98f00b204e9800998ecf8427e',
    'S3',
    'T1397036889',
    'Xbd46e502db6e41c972be183eb2bbac2110515e1f',
    '',
  ].join('\n');
  const letter = parseLetter(Buffer.from(`${body}--\nf3f0d915aa3c6154e56faa3374d10988cd356106\nsignature`));
  t.is(letter.body.toString(), body);
  t.is(letter.signature.toString(), 'signature');
});

test('the first separator ends the body, whatever the signature holds', (t) => {
  const sealed = Buffer.concat([signWithRepositoryKey(BODY, 'sha1', privateKey), Buffer.from('\n--\nmore\n')]);
  t.deepEqual(parseLetter(sealed).body, BODY);
});

const hex = createHash('sha1').update(BODY).digest('hex');
const DAMAGED: Record<string, string> = {
  'without separator': BODY.toString(),
  empty: '',
  'cut off in the hash': `${BODY}--\n${hex}`,
  'with another hash': `${BODY}--\n${'0'.repeat(40)}\nx`,
  'with an upper-case hash': `${BODY}--\n${hex.toUpperCase()}\nx`,
  'with something that is no hash': `${BODY}--\nhello\nx`,
  'with a changed body': `${BODY.toString().replace('0', '1')}--\n${hex}\nx`,
};

for (const [what, text] of Object.entries(DAMAGED)) {
  test(`a letter ${what} is refused`, (t) => {
    t.throws(() => parseLetter(Buffer.from(text)), { name: 'RepositoryError', code: 'BadLetter' });
  });
}

test('no changed byte of a letter verifies', (t) => {
  const sealed = signWithRepositoryKey(BODY, 'sha1', privateKey);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] ^= 1 << (at % 8);
    let verified = false;
    try {
      verified = isSignedByRepositoryKey(parseLetter(changed), publicKey);
    } catch (error) {
      t.is((error as { code?: string }).code, 'BadLetter');
    }
    t.false(verified, `byte ${at}`);
  }
});

test('random bytes are refused with a typed error, never by a crash', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const error = t.throws(() => parseLetter(bytes)) as { code?: string } | undefined;
      t.is(error?.code, 'BadLetter');
    }),
  );
});
