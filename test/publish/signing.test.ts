import { createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createRepository } from '../../src/publish/create-repository.ts';
import { makeKeys } from '../../src/publish/keys.ts';
import { publish } from '../../src/publish/publish.ts';
import { renewWhitelist } from '../../src/publish/whitelist-renewal.ts';
import { isSignedByMasterKey, parseLetter } from '../../src/repository/letter.ts';
import { isExpired, parseWhitelist } from '../../src/repository/whitelist.ts';
import { makeTestRepository } from '../support/repository.ts';
import { checkRepository } from './checker.ts';

const writeTree = (directory: string) => writeFileSync(join(directory, 'file'), 'one');

test('a renewed whitelist is signed by the master key, and the manifest is left alone', async (t) => {
  const repository = await makeTestRepository({ writeTree, xattrs: new Map() });
  t.teardown(repository.remove);
  const path = (name: string) => join(repository.directory, name);
  const manifest = readFileSync(path('.cvmfspublished'));
  const expires = renewWhitelist({ ...repository, algorithm: 'sha1', validDays: 100 });
  t.true(Math.abs(expires.getTime() - Date.now() - 100 * 86_400_000) < 60_000);
  t.deepEqual(checkRepository(repository.directory, repository.publicKey).problems, []);
  t.deepEqual(readFileSync(path('.cvmfspublished')), manifest);
  renewWhitelist({ ...repository, algorithm: 'sha1', validDays: -1 });
  const letter = readFileSync(path('.cvmfswhitelist'));
  t.true(isSignedByMasterKey(parseLetter(letter), [createPublicKey(readFileSync(repository.publicKey))]));
  t.true(isExpired(parseWhitelist(letter), new Date()));
});

test('keys of another repository of the same name cannot publish', async (t) => {
  const repository = await makeTestRepository({ writeTree, xattrs: new Map() });
  t.teardown(repository.remove);
  const keysDirectory = join(repository.base, 'other-keys');
  await makeKeys(keysDirectory, repository.fqrn);
  const attempt = publish({ directory: repository.directory, keysDirectory }, repository.tree);
  await t.throwsAsync(attempt, { code: 'KEY', message: /not signed with the key/ });
});

test('nothing that exists is overwritten', async (t) => {
  const repository = await makeTestRepository({ writeTree, xattrs: new Map() });
  t.teardown(repository.remove);
  await t.throwsAsync(makeKeys(repository.keysDirectory, repository.fqrn), { code: 'EXISTS' });
  await t.throwsAsync(createRepository(repository), { code: 'EXISTS' });
});

test('what cannot be is refused before anything is written', async (t) => {
  const repository = await makeTestRepository({ writeTree, xattrs: new Map(), publish: false });
  t.teardown(repository.remove);
  const options = { directory: join(repository.base, 'new'), keysDirectory: join(repository.base, 'new-keys') };
  for (const fqrn of ['', 'nodot', 'a/b.org', '.org', `${'x'.repeat(60)}.org`, 'a b.org', '..']) {
    await t.throwsAsync(createRepository({ ...options, fqrn }), { code: 'OPTION' }, fqrn);
  }
  const fqrn = 'good.example.org';
  await t.throwsAsync(createRepository({ ...options, fqrn, hash: 'md5' as 'sha1' }), { code: 'OPTION' });
  await t.throwsAsync(createRepository({ ...options, fqrn, compression: 'zstd' as 'none' }), { code: 'OPTION' });
  await t.throwsAsync(createRepository({ ...options, fqrn, ttl: 0 }), { code: 'OPTION' });
  await t.throwsAsync(publish({ ...options }, repository.tree), { code: 'IO' });
  await t.throwsAsync(repository.publish({ catalogPaths: ['relative'] }), { code: 'OPTION' });
});
