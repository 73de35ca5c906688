import { chmodSync, mkdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cacheSettings } from '../../src/cli/settings/cache.ts';
import { type Given, load, makeDirectory } from '../config/configuration.ts';

const NO_PLACES = { shared: [], scratch: [], homes: [] };
const MEGABYTE = 1 << 20;

interface Result extends ReturnType<typeof cacheSettings> {
  readonly base: string;
}

function settingsOf(t: ExecutionContext, options: readonly string[], given: Given = {}): Result {
  const base = makeDirectory(t);
  const parameters = load(t, { ...given, options: [`CVMFS_CACHE_BASE=${base}`, ...options] });
  return { ...cacheSettings(parameters, (line) => t.log(line), NO_PLACES), base };
}

const refused = (t: ExecutionContext, options: readonly string[], message: RegExp, code = 'BAD_VALUE') =>
  t.throws(() => settingsOf(t, options), { code, message });

test('without anything said there is one private cache of 4000 MB for all repositories', (t) => {
  const { base, ...settings } = settingsOf(t, []);
  t.deepEqual(settings, {
    cacheDirectory: `${base}/shared`,
    cache: { kind: 'posix', directory: `${base}/shared`, access: 'private', limit: 4000 * MEGABYTE },
    streaming: false,
    maxTtl: undefined,
  });
});

test('CVMFS_QUOTA_LIMIT is in megabytes; zero and less mean no limit', (t) => {
  t.like(settingsOf(t, ['CVMFS_QUOTA_LIMIT=20']), { cache: { limit: 20 * MEGABYTE } });
  for (const none of ['0', '-1']) t.like(settingsOf(t, [`CVMFS_QUOTA_LIMIT=${none}`]), { cache: { limit: undefined } });
});

test('CVMFS_STREAMING_CACHE and CVMFS_MAX_TTL are understood', (t) => {
  const { streaming, maxTtl } = settingsOf(t, ['CVMFS_STREAMING_CACHE=yes', 'CVMFS_MAX_TTL=2']);
  t.deepEqual([streaming, maxTtl], [true, 120]);
});

test('an alien cache holds the objects; the private directory stays for all else', (t) => {
  const { base, cacheDirectory, cache } = settingsOf(t, ['CVMFS_ALIEN_CACHE=/alien']);
  t.deepEqual(cache, { kind: 'posix', directory: '/alien', access: 'alien' });
  t.is(cacheDirectory, `${base}/shared`);
});

test('an alien cache excludes a quota and a shared cache that were asked for by the same or a later source', (t) => {
  const alien = 'CVMFS_ALIEN_CACHE=/alien';
  refused(t, [alien, 'CVMFS_QUOTA_LIMIT=20'], /excludes CVMFS_QUOTA_LIMIT=20/, 'CONFLICT');
  refused(t, [alien, 'CVMFS_SHARED_CACHE=yes'], /excludes CVMFS_SHARED_CACHE=yes/, 'CONFLICT');
  t.like(settingsOf(t, [alien, 'CVMFS_QUOTA_LIMIT=-1', 'CVMFS_SHARED_CACHE=no']), { cache: { access: 'alien' } });
  const files = { 'default.local': 'CVMFS_QUOTA_LIMIT=20000\n' };
  t.like(settingsOf(t, [alien], { files }), { cache: { access: 'alien' } }, 'the site did not know of it');
});

test('a named instance: memory, in megabytes, per cent, or a part of what there is', (t) => {
  const sizeOf = (...size: string[]) =>
    settingsOf(t, ['CVMFS_CACHE_PRIMARY=mine', 'CVMFS_CACHE_mine_TYPE=ram', ...size]).cache;
  t.deepEqual(sizeOf('CVMFS_CACHE_mine_SIZE=100'), { kind: 'ram', limit: 100 * MEGABYTE });
  t.deepEqual(sizeOf('CVMFS_CACHE_mine_SIZE=1'), { kind: 'ram', limit: 40 * MEGABYTE });
  t.deepEqual(sizeOf('CVMFS_CACHE_mine_SIZE=50%'), { kind: 'ram', limit: Math.floor(totalmem() / 2) });
  t.deepEqual(sizeOf(), { kind: 'ram', limit: Math.max(40 * MEGABYTE, Math.floor(totalmem() / 32)) });
  t.throws(() => sizeOf('CVMFS_CACHE_mine_SIZE=much'), { code: 'BAD_VALUE', message: /megabytes or a percentage/ });
});

test('a tiered cache: its own tiers, the lower one read-only where that is said', (t) => {
  const options = [
    'CVMFS_CACHE_PRIMARY=both',
    'CVMFS_CACHE_both_TYPE=tiered',
    'CVMFS_CACHE_both_UPPER=default',
    'CVMFS_CACHE_both_LOWER=site',
    'CVMFS_CACHE_site_TYPE=posix',
    'CVMFS_CACHE_site_ALIEN=/site/cache',
  ];
  const { base, cache } = settingsOf(t, options);
  const upper = { kind: 'posix', directory: `${base}/shared`, access: 'private', limit: 4000 * MEGABYTE };
  const lower = { kind: 'posix', directory: '/site/cache', access: 'alien' };
  t.deepEqual(cache, { kind: 'tiered', upper, lower } as typeof cache);
  const readOnly = settingsOf(t, [...options, 'CVMFS_CACHE_both_LOWER_READONLY=yes']);
  t.like(readOnly.cache, { lower: { access: 'read-only' } });
});

test('instances that make no sense are refused, with what is wrong', (t) => {
  const tiered = ['CVMFS_CACHE_PRIMARY=a', 'CVMFS_CACHE_a_TYPE=tiered'];
  refused(t, ['CVMFS_CACHE_PRIMARY=none'], /CVMFS_CACHE_none_TYPE is ''/);
  refused(t, ['CVMFS_CACHE_PRIMARY=a', 'CVMFS_CACHE_a_TYPE=external'], /must be posix, ram or tiered/);
  refused(t, ['CVMFS_CACHE_PRIMARY=../a'], /is no name/);
  refused(t, tiered, /needs CVMFS_CACHE_a_UPPER/);
  refused(t, [...tiered, 'CVMFS_CACHE_a_UPPER=a'], /is a tier of itself/);
  refused(
    t,
    [...tiered, 'CVMFS_CACHE_a_UPPER=default', 'CVMFS_CACHE_a_LOWER=m', 'CVMFS_CACHE_m_TYPE=ram'],
    /lower tier .* posix/,
  );
});

test('a chosen cache that can only be read is read, and a place of our own is used for all else', (t) => {
  const [base, home] = [makeDirectory(t), makeDirectory(t)];
  const directory = join(base, 'cache');
  mkdirSync(join(directory, 'ff'), { recursive: true });
  chmodSync(directory, 0o555);
  const parameters = load(t, { options: [`CVMFS_CACHE_DIR=${directory}`] });
  if (process.getuid?.() === 0) {
    t.log('skipped: root may write everywhere');
    return t.pass();
  }
  const { cacheDirectory, cache } = cacheSettings(parameters, () => {}, { ...NO_PLACES, homes: [home] });
  t.deepEqual(cache, { kind: 'posix', directory, access: 'read-only' });
  t.true(cacheDirectory.startsWith(home));
});

test('the accounts of a cache on a network file system are kept on the node; without a place for them there is no limit', (t) => {
  const [base, local] = [makeDirectory(t), makeDirectory(t)];
  const parameters = load(t, { options: [`CVMFS_CACHE_DIR=${base}/cache`] });
  const fileSystemType = (path: string) => (path.startsWith(base) ? 0x6969 : 0xef53);
  const settings = (shared: string[]) =>
    cacheSettings(parameters, () => {}, { ...NO_PLACES, shared, fileSystemType }).cache as { quotaDirectory?: string };
  t.regex(settings([local]).quotaDirectory ?? '', new RegExp(`^${local}/cvmfs-[0-9]+/quota.v1-[0-9a-f]{16}$`));
  t.like(settings([]), { quotaDirectory: undefined, limit: undefined });
});

test('what is being fetched into a private cache stands in memory, in a private directory; without one, with the accounts', (t) => {
  const [base, memory] = [makeDirectory(t), makeDirectory(t)];
  const claims = (option: string, place = memory) =>
    (
      cacheSettings(load(t, { options: [option] }), () => {}, { ...NO_PLACES, memory: place }).cache as {
        claimsDirectory?: string;
      }
    ).claimsDirectory;
  const [one, other] = ['one', 'other'].map((name) => claims(`CVMFS_CACHE_DIR=${base}/${name}`));
  t.regex(one ?? '', new RegExp(`^${memory}/cvmfs-[0-9]+/fetching-[0-9a-f]{16}$`));
  t.not(one, other);
  t.is(claims(`CVMFS_CACHE_DIR=${base}/one`), one);
  t.is(claims(`CVMFS_CACHE_DIR=${base}/one`, `${memory}/missing`), undefined);
});
