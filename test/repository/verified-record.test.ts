import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { parseBlacklist } from '../../src/repository/blacklist.ts';
import { chooseRoot, type RootChoice, type RootOptions } from '../../src/repository/root.ts';
import {
  encodeVerifiedRecord,
  isFresh,
  parseVerifiedRecord,
  readVerifiedRecord,
  type VerifiedRecord,
  writeVerifiedRecord,
} from '../../src/repository/verified-record.ts';
import type { TestRepository } from './fixtures.ts';
import { FQRN, master, type RepositoryChanges, signedRepository, stranger } from './signed-repository.ts';

const MANIFEST = '/.cvmfspublished';
const START = Date.parse('2026-03-01T12:00:00Z');
const at = (seconds: number) => () => new Date(START + seconds * 1000);
const choose = (repository: TestRepository, options: Partial<RootOptions> = {}) =>
  chooseRoot(repository, repository, { fqrn: FQRN, masterKeys: [master.publicKey], now: at(0), ...options });
const served = (revision: number, changes: RepositoryChanges = {}) =>
  signedRepository({ ...changes, manifest: { revision, publishTime: 1_000_000 + revision, ...changes.manifest } });

function recordOf({ verified }: RootChoice, ttl = 240): VerifiedRecord {
  if (!verified) throw new Error('nothing was verified');
  return { ...verified.evidence, verified: verified.time, ttl };
}

/** A repository that was verified at START, and what there is to know about it then. */
async function verifiedAtStart(revision = 6) {
  const repository = served(revision);
  const choice = await choose(repository);
  repository.requests.length = 0;
  return { repository, choice, record: recordOf(choice), breadcrumb: choice.breadcrumb };
}

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'record-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('within the TTL a start asks no server, and chooses what a server would say', async (t) => {
  const { repository, choice, record, breadcrumb } = await verifiedAtStart();
  const again = await choose(repository, { record, breadcrumb, now: at(239) });
  t.deepEqual(repository.requests, []);
  t.like(again, { revision: 6, offline: undefined, fixed: false });
  t.true(again.rootHash.equals(choice.rootHash));
  t.is(again.verified?.time, START / 1000, 'the server’s word is not younger than it is');
});

test('a fresh record alone is enough, as after a breadcrumb was lost', async (t) => {
  const { repository, record } = await verifiedAtStart();
  t.like(await choose(repository, { record, now: at(10) }), { revision: 6, breadcrumb: { revision: 6 } });
  t.deepEqual(repository.requests, []);
});

test('after the TTL, or CVMFS_MAX_TTL, or when the clock was set back, the server is asked', async (t) => {
  for (const [now, maxTtl] of [
    [at(240), undefined],
    [at(60), 60],
    [at(-60), undefined],
  ] as const) {
    const { repository, record, breadcrumb } = await verifiedAtStart();
    const choice = await choose(repository, { record, breadcrumb, now, maxTtl });
    t.deepEqual(repository.requests, [MANIFEST], 'and confirms what is known');
    t.is(choice.verified?.time, now().getTime() / 1000, 'which counts from then on');
    t.true(choice.verified?.evidence.manifest.equals(record.manifest));
  }
});

test('a newer revision that another process has seen is not forgotten for a record', async (t) => {
  const { record } = await verifiedAtStart(6);
  const newer = await verifiedAtStart(7);
  const choice = await choose(newer.repository, { record, breadcrumb: newer.breadcrumb, now: at(1) });
  t.deepEqual(newer.repository.requests, [MANIFEST]);
  t.is(choice.revision, 7);
  t.is(choice.verified, undefined, 'the old proof is not that of the new revision');
});

const FORGERIES: Record<string, (record: VerifiedRecord) => VerifiedRecord> = {
  'a changed manifest': (record) => ({ ...record, manifest: changed(record.manifest, 'S6', 'S9') }),
  'a manifest that somebody else signed': (record) => {
    const other = served(9, { signingKey: stranger.privateKey });
    return { ...record, manifest: other.read(MANIFEST) };
  },
  'a whitelist that somebody else signed': (record) => {
    const other = served(9, { masterKey: stranger.privateKey });
    return { ...record, whitelist: other.read('/.cvmfswhitelist') };
  },
  'an expired whitelist': (record) => {
    const other = served(9, { whitelist: { expires: '20260102000000' } });
    return { ...record, whitelist: other.read('/.cvmfswhitelist') };
  },
  'no certificate': (record) => ({ ...record, certificate: Buffer.from('nothing') }),
};

function changed(content: Buffer, from: string, to: string): Buffer {
  return Buffer.from(content.toString('latin1').replace(from, to), 'latin1');
}

for (const [name, forge] of Object.entries(FORGERIES)) {
  test(`a record with ${name} is worth nothing: the server is asked`, async (t) => {
    const { repository, record } = await verifiedAtStart();
    const choice = await choose(repository, { record: forge(record), now: at(1) });
    t.true(repository.requests.includes(MANIFEST));
    t.is(choice.revision, 6);
  });
}

test('a revision or certificate that was blacklisted meanwhile is refused', async (t) => {
  const { repository, record, breadcrumb } = await verifiedAtStart();
  const blacklist = parseBlacklist(`<${FQRN} 7\n`);
  await t.throwsAsync(choose(repository, { record, breadcrumb, blacklist, now: at(1) }), { code: 'Blacklisted' });
});

test('without a record what is known is proved again', async (t) => {
  const { repository, breadcrumb } = await verifiedAtStart();
  const choice = await choose(repository, { breadcrumb, proveAgain: true });
  t.truthy(choice.verified);
  t.true(repository.requests.includes('/.cvmfswhitelist'));
});

test('a server that is down does not renew the word of another time', async (t) => {
  const { repository, record, breadcrumb } = await verifiedAtStart();
  repository.replaced.set(MANIFEST, undefined);
  const choice = await choose(repository, { record, breadcrumb, now: at(500) });
  t.like(choice, { revision: 6, verified: undefined });
  t.truthy(choice.offline);
});

test('what is written is read back, mode 0600', async (t) => {
  const place = directory(t);
  const { record } = await verifiedAtStart();
  writeVerifiedRecord(place, FQRN, record);
  t.deepEqual(readVerifiedRecord(place, FQRN), record);
  t.is(statSync(`${place}/cvmfsverified.${FQRN}`).mode & 0o777, 0o600);
  t.is(readVerifiedRecord(place, 'other.example.org'), undefined);
});

test('a record that somebody else owns or can write is not read', async (t) => {
  const place = directory(t);
  const { record } = await verifiedAtStart();
  const file = `${place}/cvmfsverified.${FQRN}`;
  writeVerifiedRecord(place, FQRN, record);
  chmodSync(file, 0o620);
  t.is(readVerifiedRecord(place, FQRN), undefined);
  chmodSync(file, 0o600);
  if (process.getuid?.() === 0) {
    chownSync(file, 54_321, 54_321);
    t.is(readVerifiedRecord(place, FQRN), undefined);
  } else t.log('not tried without root: a file of somebody else');
});

test('a damaged record is none', async (t) => {
  const place = directory(t);
  const { record } = await verifiedAtStart();
  writeVerifiedRecord(place, FQRN, record);
  const file = `${place}/cvmfsverified.${FQRN}`;
  const text = readFileSync(file, 'latin1');
  for (const damaged of ['', '{', 'null', '[]', text.slice(0, -1), text.replace('"version":1', '"version":2')]) {
    writeFileSync(file, damaged);
    t.is(readVerifiedRecord(place, FQRN), undefined, damaged.slice(0, 40));
  }
});

test('any record survives encoding', (t) => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((content) => Buffer.from(content));
  const record = fc.record({
    verified: fc.maxSafeNat(),
    ttl: fc.maxSafeNat(),
    manifest: bytes,
    whitelist: bytes,
    certificate: bytes,
  });
  fc.assert(fc.property(record, (made) => void t.deepEqual(parseVerifiedRecord(encodeVerifiedRecord(made)), made)));
});

test('no text makes the parser throw, and a record is fresh only between its time and its TTL', (t) => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseVerifiedRecord(text)));
  const record = { verified: START / 1000, ttl: 100 } as VerifiedRecord;
  fc.assert(
    fc.property(fc.integer({ min: -500, max: 500 }), (age) => {
      t.is(isFresh(record, at(age)()), age >= -1 && age < 100);
    }),
  );
});
