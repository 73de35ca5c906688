import test from 'ava';
import { objectPath } from '../../src/objects/object.ts';
import { parseBlacklist } from '../../src/repository/blacklist.ts';
import { fingerprint, parseCertificate } from '../../src/repository/certificate.ts';
import { formatFingerprint } from '../../src/repository/fingerprint.ts';
import { parseManifest } from '../../src/repository/manifest.ts';
import { fetchManifest, type VerificationOptions } from '../../src/repository/verification.ts';
import { fixtureKeys, fixtureNames, fixtureRepository, needsFixtures, type TestRepository } from './fixtures.ts';
import { outcome } from './outcome.ts';
import {
  alter,
  CERTIFICATE,
  certificateOf,
  damageEnd,
  FQRN,
  master,
  remove,
  signedRepository,
  signer,
  stranger,
} from './signed-repository.ts';

const OPTIONS: VerificationOptions = { fqrn: FQRN, masterKeys: [stranger.publicKey, master.publicKey] };
const MANIFEST = '/.cvmfspublished';
const WHITELIST = '/.cvmfswhitelist';
const verify = (repository: TestRepository, options: Partial<VerificationOptions> = {}) =>
  fetchManifest(repository, repository, { ...OPTIONS, ...options });

test('every fixture repository verifies with its own master key, and with no other', async (t) => {
  if (!needsFixtures(t)) return;
  for (const fqrn of fixtureNames) {
    const repository = fixtureRepository(t, fqrn);
    const { manifest, unchanged } = await fetchManifest(repository, repository, {
      fqrn,
      masterKeys: fixtureKeys(fqrn),
    });
    t.is(manifest.name, fqrn);
    t.false(unchanged);
    t.is(
      await outcome(fetchManifest(repository, repository, { fqrn, masterKeys: OPTIONS.masterKeys })),
      'BadWhitelist signature',
    );
  }
});

for (const algorithm of ['sha1', 'rmd160', 'shake128'] as const) {
  test(`a ${algorithm} repository verifies`, async (t) => {
    t.is(await outcome(verify(signedRepository({ algorithm }))), 'ok');
  });
}

test('fingerprints of another algorithm than the repository verify', async (t) => {
  const fingerprints = [fingerprint(parseCertificate(CERTIFICATE), 'rmd160')];
  t.is(await outcome(verify(signedRepository({ whitelist: { fingerprints } }))), 'ok');
});

test('manifest and whitelist are asked for at once, then certificate and root catalog', async (t) => {
  const repository = signedRepository();
  const { manifest } = await verify(repository);
  const objects = [
    objectPath({ hash: manifest.certificate!, letter: 'X' }),
    objectPath({ hash: manifest.rootHash, letter: 'C' }),
  ];
  t.deepEqual(repository.requests, [WHITELIST, MANIFEST, ...objects]);
});

test('with an alternative path, certificate and root catalog are fetched from there', async (t) => {
  const repository = signedRepository({ manifest: { alternativePath: true } });
  t.is(await outcome(verify(repository)), 'ok');
  t.regex(repository.requests.slice(2).join(' '), /^\/\.cvmfsalt-[0-9a-f]{40}X \/\.cvmfsalt-[0-9a-f]{40}C$/);
});

test('what is local is not fetched again', async (t) => {
  const repository = signedRepository();
  await verify(repository);
  repository.requests.length = 0;
  await verify(repository);
  t.deepEqual(repository.requests, [WHITELIST, MANIFEST]);
});

/** Changes the first `from` in the text of a file. */
const replace = (path: string, from: string, to: string) => (repository: TestRepository) =>
  alter(repository, path, (content) => Buffer.from(content.toString('latin1').replace(from, to), 'latin1'));
/** Changes a digit of the hash below "--". */
const damageHash = (path: string) => (repository: TestRepository) =>
  alter(repository, path, (content) => {
    const at = content.indexOf('\n--\n') + 4;
    content[at] = content[at] === 0x30 ? 0x31 : 0x30;
    return content;
  });
const certificatePath = (repository: TestRepository) =>
  objectPath({ hash: parseManifest(repository.read(MANIFEST)).certificate!, letter: 'X' });

const TAMPERED: Record<string, [string, (repository: TestRepository) => void]> = {
  'no manifest': ['Load', remove(MANIFEST)],
  'no whitelist': ['BadWhitelist load', remove(WHITELIST)],
  'an empty manifest': ['Incomplete', (repository) => alter(repository, MANIFEST, () => Buffer.alloc(0))],
  'a changed field in the manifest': ['BadSignature', replace(MANIFEST, 'S6\n', 'S7\n')],
  'another root catalog in the manifest': [
    'BadSignature',
    (repository) =>
      alter(repository, MANIFEST, (content) => {
        content.fill('f', 1, 41);
        return content;
      }),
  ],
  'a changed hash in the manifest': ['BadSignature', damageHash(MANIFEST)],
  'a changed signature of the manifest': ['BadSignature', damageEnd(MANIFEST)],
  'a cut signature of the manifest': [
    'BadSignature',
    (repository) => alter(repository, MANIFEST, (content) => content.subarray(0, -1)),
  ],
  'no signature of the manifest': [
    'BadSignature',
    (repository) => alter(repository, MANIFEST, (content) => content.subarray(0, content.indexOf('\n--\n') + 1)),
  ],
  'no certificate': ['BadCertificate', (repository) => remove(certificatePath(repository))(repository)],
  'a damaged certificate object': [
    'BadCertificate',
    (repository) => damageEnd(certificatePath(repository))(repository),
  ],
  'an extended whitelist': ['BadWhitelist signature', replace(WHITELIST, 'E2046', 'E2047')],
  'a changed hash in the whitelist': ['BadWhitelist signature', damageHash(WHITELIST)],
  'a changed signature of the whitelist': ['BadWhitelist signature', damageEnd(WHITELIST)],
  'a whitelist of nothing': [
    'BadWhitelist malformed',
    (repository) => alter(repository, WHITELIST, () => Buffer.alloc(0)),
  ],
  'a letter of the signer as whitelist': [
    'BadWhitelist signature',
    (repository) =>
      repository.replaced.set(WHITELIST, signedRepository({ masterKey: signer.privateKey }).read(WHITELIST)),
  ],
};

for (const [what, [code, tamper]] of Object.entries(TAMPERED)) {
  test(`${what}: refused as ${code}`, async (t) => {
    const repository = signedRepository();
    tamper(repository);
    t.is(await outcome(verify(repository)), code);
  });
}

const FAR = Buffer.from('no certificate');
const WRONG: Record<string, [string, Parameters<typeof signedRepository>[0], Partial<VerificationOptions>?]> = {
  'a manifest of another repository': ['NameMismatch', { manifest: { name: 'other.example.org' } }],
  'a manifest without name': ['NameMismatch', { manifest: { name: '' } }],
  'a manifest of a subtree': ['RootMismatch', { manifest: { rootPathMd5: '1effb2475fcfba4f9e8b8a1dbc8f3caf' } }],
  'a manifest older than what was seen': ['Outdated', {}, { minTimestamp: 1_000_001 }],
  'a manifest without certificate': ['BadCertificate', { manifest: { certificate: undefined } }],
  'something else as certificate': ['BadCertificate', { certificate: FAR }],
  'a manifest signed with another key': ['BadSignature', { signingKey: stranger.privateKey }],
  'a manifest signed with the master key': ['BadSignature', { signingKey: master.privateKey }],
  'a whitelist of another repository': ['BadWhitelist name', { whitelist: { name: 'other.example.org' } }],
  'an expired whitelist': ['BadWhitelist expired', { whitelist: { expires: '20260101000000' } }],
  'a whitelist of another master key': [
    'BadWhitelist signature',
    { masterKey: stranger.privateKey },
    { masterKeys: [master.publicKey] },
  ],
  'no master key': ['BadWhitelist signature', {}, { masterKeys: [] }],
  'a whitelist that demands PKCS#7': ['BadWhitelist unsupported', { whitelist: { pkcs7: true } }],
  'a whitelist that demands authorities': ['BadWhitelist unsupported', { whitelist: { caChain: true } }],
  'a certificate that is not listed': [
    'InvalidCertificate',
    { certificate: certificateOf(stranger.privateKey), signingKey: stranger.privateKey },
  ],
  'a whitelist without certificates': ['InvalidCertificate', { whitelist: { fingerprints: [] } }],
  'a blacklisted certificate': [
    'Blacklisted',
    {},
    { blacklist: parseBlacklist(formatFingerprint(fingerprint(parseCertificate(CERTIFICATE), 'shake128'))) },
  ],
};

for (const [what, [code, changes, options]] of Object.entries(WRONG)) {
  test(`${what}, properly signed: refused as ${code}`, async (t) => {
    t.is(await outcome(verify(signedRepository(changes), options)), code);
  });
}

test('a manifest exactly as old as the last one is accepted', async (t) => {
  t.is(await outcome(verify(signedRepository(), { minTimestamp: 1_000_000 })), 'ok');
});

test('the clock decides whether a whitelist has expired', async (t) => {
  const at = (time: string) => outcome(verify(signedRepository(), { now: () => new Date(time) }));
  t.is(await at('2045-12-31T23:59:59Z'), 'ok');
  t.is(await at('2046-01-01T00:00:00Z'), 'BadWhitelist expired');
});

test('no changed byte of manifest or whitelist verifies', async (t) => {
  for (const path of [MANIFEST, WHITELIST]) {
    const { length } = signedRepository().read(path);
    const repository = signedRepository();
    const original = repository.read(path);
    for (let at = 0; at < length; at += 3) {
      const changed = Buffer.from(original);
      changed[at]! ^= 1 << (at % 8);
      repository.replaced.set(path, changed);
      t.not(await outcome(verify(repository)), 'ok', `${path}, byte ${at}`);
    }
  }
});

test('a root catalog that is known with its revision needs nothing but the manifest', async (t) => {
  const repository = signedRepository();
  const { rootHash, revision } = (await verify(repository)).manifest;
  repository.clear();
  t.true((await verify(repository, { known: { rootHash, revision } })).unchanged);
  t.deepEqual(repository.requests, [MANIFEST]);
});

test('an unsigned revision is not believed because its root catalog is known', async (t) => {
  const repository = signedRepository();
  const { rootHash } = (await verify(repository)).manifest;
  replace(MANIFEST, 'S6\n', 'S999\n')(repository);
  t.is(await outcome(verify(repository, { known: { rootHash, revision: 6 } })), 'BadSignature');
});
