import test from 'ava';
import { ContentHash } from '../../src/objects/hash.ts';
import { parseBlacklist } from '../../src/repository/blacklist.ts';
import type { Breadcrumb } from '../../src/repository/breadcrumb.ts';
import { parseManifest } from '../../src/repository/manifest.ts';
import { chooseRoot, chosenCatalogRequest, type RootOptions } from '../../src/repository/root.ts';
import {
  fixtureFile,
  fixtureKeys,
  fixtureNames,
  fixtureRepository,
  needsFixtures,
  type TestRepository,
} from './fixtures.ts';
import { FQRN, master, type RepositoryChanges, signedRepository, stranger } from './signed-repository.ts';
import { parseTagLine } from './tag-list.ts';

const MANIFEST = '/.cvmfspublished';
const HASH = 'ab'.repeat(20);
const choose = (repository: TestRepository, options: Partial<RootOptions> = {}) =>
  chooseRoot(repository, repository, { fqrn: FQRN, masterKeys: [master.publicKey], ...options });
const served = (revision: number, publishTime = 1_000_000, changes: RepositoryChanges = {}) =>
  signedRepository({ ...changes, manifest: { revision, publishTime, ...changes.manifest } });
const crumb = (revision: number, timestamp = 1_000_000): Breadcrumb => ({
  rootHash: new ContentHash('sha1', HASH),
  timestamp,
  revision,
});

test('without anything known, the newest revision is mounted and remembered', async (t) => {
  const repository = served(6);
  const { rootHash, rootSize } = parseManifest(repository.read(MANIFEST));
  const choice = await choose(repository);
  t.like(choice, { rootHash, revision: 6, size: rootSize, fixed: false, offline: undefined, alternativePath: false });
  t.deepEqual(choice.breadcrumb, { rootHash, timestamp: 1_000_000, revision: 6 });
  t.is(choice.manifest?.name, FQRN);
});

test('a fixed root hash needs no server at all', async (t) => {
  const repository = served(6);
  const choice = await choose(repository, { fixedRoot: HASH, alternativePath: true, tag: 'v1', date: 'x' });
  t.like(choice, { fixed: true, alternativePath: true });
  t.is(choice.rootHash.hex, HASH);
  t.deepEqual(repository.requests, []);
  t.like(chosenCatalogRequest(choice), { letter: 'C', compression: 'zlib', alternativePath: true });
});

for (const fixedRoot of ['', 'nonsense', '0'.repeat(40)]) {
  test(`"${fixedRoot}" is no fixed root hash`, async (t) => {
    t.like(await choose(served(6), { fixedRoot }), { fixed: false, revision: 6 });
  });
}

test('every tag of every fixture repository gives its root catalog', async (t) => {
  if (!needsFixtures(t)) return;
  for (const fqrn of fixtureNames) {
    const repository = fixtureRepository(t, fqrn);
    const options = { fqrn, masterKeys: fixtureKeys(fqrn) };
    const tags = fixtureFile(`${fqrn}.tags.txt`).toString().trim().split('\n').map(parseTagLine);
    for (const { name, hash, revision, size } of tags) {
      const choice = await choose(repository, { ...options, tag: name });
      t.like(choice, { rootHash: hash, revision, size, tagName: name, fixed: true, breadcrumb: undefined });
    }
    const oldest = tags.sort((a, b) => a.timestamp - b.timestamp || a.revision - b.revision);
    const inTime = oldest.filter(({ timestamp }) => timestamp === oldest[0]!.timestamp).at(-1)!;
    const date = new Date(oldest[0]!.timestamp * 1000).toISOString().replace('.000Z', 'Z');
    t.is((await choose(repository, { ...options, date })).rootHash.toString(), inTime.hash.toString());
    await t.throwsAsync(choose(repository, { ...options, tag: 'none' }), { code: 'NoSuchTag' });
    await t.throwsAsync(choose(repository, { ...options, tag: '' }), { code: 'NoSuchTag' });
    await t.throwsAsync(choose(repository, { ...options, date: '2000-01-01T00:00:00Z' }), { code: 'NoSuchTag' });
  }
});

test('the tag wins over the date, and comes with the history, not with the newest catalog', async (t) => {
  if (!needsFixtures(t)) return;
  const fqrn = 'small.example.org';
  const repository = fixtureRepository(t, fqrn);
  const choice = await choose(repository, { fqrn, masterKeys: fixtureKeys(fqrn), tag: 'v1.0', date: 'nonsense' });
  t.is(choice.tagName, 'v1.0');
  t.deepEqual(
    repository.requests.map((path) => path.at(-1)),
    ['t', 'd', 'X', 'H'],
  );
});

test('tags of a repository that has none, dates that are none', async (t) => {
  await t.throwsAsync(choose(served(6), { tag: 'v1' }), { code: 'NoHistory' });
  await t.throwsAsync(choose(served(6), { date: '2026-01-01' }), { code: 'BadDate' });
  const history = new ContentHash('sha1', HASH);
  await t.throwsAsync(choose(served(6, 1, { manifest: { history } }), { tag: 'v1' }), { code: 'BadHistory' });
});

test('a tag is not given out by a manifest that does not verify', async (t) => {
  const history = new ContentHash('sha1', HASH);
  const repository = served(6, 1, { manifest: { history }, signingKey: stranger.privateKey });
  await t.throwsAsync(choose(repository, { tag: 'v1' }), { code: 'BadSignature' });
});

test('a newer revision replaces the one that is known', async (t) => {
  t.like(await choose(served(6), { breadcrumb: crumb(5) }), {
    revision: 6,
    offline: undefined,
    breadcrumb: { revision: 6 },
  });
});

test('a lower revision does not, even if it was published later', async (t) => {
  const choice = await choose(served(4, 2_000_000), { breadcrumb: crumb(5) });
  t.like(choice, { revision: 5, breadcrumb: undefined, offline: { code: 'Outdated' } });
  t.is(choice.rootHash.hex, HASH);
});

test('a higher revision that was published earlier does not', async (t) => {
  t.like(await choose(served(9, 999_999), { breadcrumb: crumb(5) }), { revision: 5, offline: { code: 'Outdated' } });
});

test('what is known stays in use, and is confirmed, when the server has the same revision', async (t) => {
  const repository = served(5);
  const { rootHash } = parseManifest(repository.read(MANIFEST));
  const choice = await choose(repository, { breadcrumb: { ...crumb(5), rootHash } });
  t.like(choice, { rootHash, revision: 5, offline: undefined, breadcrumb: undefined, manifest: undefined });
  t.deepEqual(repository.requests, [MANIFEST]);
});

test('without a server, or with one that does not verify, the known revision is used and the reason told', async (t) => {
  const silent = served(6);
  silent.replaced.set(MANIFEST, undefined);
  t.like(await choose(silent, { breadcrumb: crumb(5) }), { revision: 5, offline: { code: 'Load' } });
  const forged = served(6, 1_000_000, { signingKey: stranger.privateKey });
  t.like(await choose(forged, { breadcrumb: crumb(5) }), { revision: 5, offline: { code: 'BadSignature' } });
});

test('without a server and without anything known there is nothing to mount', async (t) => {
  const silent = served(6);
  silent.replaced.set(MANIFEST, undefined);
  await t.throwsAsync(choose(silent), { name: 'RepositoryError', code: 'Load' });
});

test('a running mount goes on with its own catalog until there is a newer one', async (t) => {
  const mounted = { rootHash: new ContentHash('sha1', 'c'.repeat(40)), lastModified: 1_000_000, revision: 5 };
  t.like(await choose(served(5), { mounted }), { rootHash: mounted.rootHash, revision: 5, offline: undefined });
  t.like(await choose(served(6), { mounted }), { revision: 6 });
  t.like(await choose(served(5), { mounted, breadcrumb: crumb(6) }), { rootHash: crumb(6).rootHash, revision: 6 });
});

test('a blacklisted revision is not mounted, wherever it comes from', async (t) => {
  const blacklist = parseBlacklist(`<${FQRN} 7`);
  await t.throwsAsync(choose(served(6), { blacklist }), { code: 'Blacklisted' });
  await t.throwsAsync(choose(served(5), { blacklist, breadcrumb: crumb(6) }), { code: 'Blacklisted' });
  t.like(await choose(served(7), { blacklist }), { revision: 7 });
});

test('the alternative path comes from the manifest', async (t) => {
  const choice = await choose(served(6, 1_000_000, { manifest: { alternativePath: true } }));
  t.true(chosenCatalogRequest(choice).alternativePath);
});

test('a manifest without publish time leaves no breadcrumb', async (t) => {
  t.is((await choose(served(6, 0))).breadcrumb, undefined);
});
