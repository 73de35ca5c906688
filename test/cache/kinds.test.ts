// Caches of other kinds than a private directory.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { openCache } from '../../src/cache/open-cache.ts';
import type { CacheSettings, DirectoryCache } from '../../src/cache/settings.ts';
import { CacheStore } from '../../src/cache/store.ts';
import { Downloader } from '../../src/download/downloader.ts';
import { TestServer } from '../support/http-server.ts';
import {
  type MadeObject,
  makeObject,
  publishObject,
  sampleBytes,
  temporaryDirectory,
} from '../support/object-fixture.ts';
import { isRoot, user } from '../support/ordinary-user.ts';

const MEGABYTE = 1 << 20;
const CACHE_DIRECTORY = join(import.meta.dirname, '../../src/cache/directory.ts');
const CONTENT_HASH = join(import.meta.dirname, '../../src/objects/hash.ts');

interface Site {
  readonly root: string;
  readonly server: TestServer;
  readonly objects: readonly MadeObject[];
  open(settings: CacheSettings, streaming?: boolean): CacheStore;
  readonly warnings: string[];
}

async function makeSite(t: ExecutionContext, sizes = [10_000, 700_000, 30_000]): Promise<Site> {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  t.teardown(() => server.close());
  const objects = sizes.map((size, i) => publishObject(root, makeObject(sampleBytes(size, i + 1))));
  const warnings: string[] = [];
  const warn = (line: string) => warnings.push(line);
  const open = (settings: CacheSettings, streaming = false): CacheStore => {
    const source = new Downloader({ servers: [server.url] });
    const memory = settings.kind === 'ram' ? {} : { memory: 65_536 };
    const store = new CacheStore({ ...memory, ...openCache(settings, warn), source, streaming, warn });
    t.teardown(async () => {
      source.close();
      await store.close();
    });
    return store;
  };
  return { root, server, objects, open, warnings };
}

async function readAll(t: ExecutionContext, store: CacheStore, objects: readonly MadeObject[]): Promise<void> {
  for (const { request, plain } of objects) {
    if (!store.open(request.hash, request.size)) await store.fetch(request);
    const object = store.open(request.hash, request.size);
    const bytes = Buffer.alloc(plain.length);
    object?.read(bytes, 0, bytes.length, 0);
    t.true(bytes.equals(plain));
    object?.close();
  }
  store.flush();
}

async function eventually(t: ExecutionContext, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  t.true(holds());
}

const directoryOf = (t: ExecutionContext, access: DirectoryCache['access'] = 'private'): DirectoryCache => ({
  kind: 'posix',
  directory: join(temporaryDirectory(t), 'cache'),
  access,
});

test('an alien cache has the modes of the group, whatever the umask, and is used by the next client', async (t) => {
  const { server, objects, open } = await makeSite(t);
  const alien = directoryOf(t, 'alien');
  await readAll(t, open(alien), objects);
  const path = CacheDirectory.open(alien.directory, 'alien').objectPath(objects[0].request.hash);
  t.is(fs.statSync(path).mode & 0o777, 0o660);
  t.is(fs.statSync(join(path, '..')).mode & 0o777, 0o770);
  t.false(fs.existsSync(`${alien.directory}/quota.v1`), 'nobody limits it');
  const { length } = server.requests;
  await readAll(t, open(alien), objects);
  t.is(server.requests.length, length);
});

test('a user of an alien cache whose maker was killed in the middle of making it can store in it', async (t) => {
  if (!isRoot) {
    t.log('skipped: files of two users need root');
    return t.pass();
  }
  const { objects, open } = await makeSite(t);
  const alien = directoryOf(t, 'alien');
  await readAll(t, open(alien), objects);
  fs.rmdirSync(join(alien.directory, 'txn'));
  fs.chmodSync(join(alien.directory, '..'), 0o755);
  fs.chmodSync(alien.directory, 0o770);
  for (const name of ['', ...fs.readdirSync(alien.directory)]) fs.chownSync(join(alien.directory, name), 0, user.gid);
  const { hash } = objects[0].request;
  const content = `Buffer.from('content')`;
  const program = [
    `const { CacheDirectory } = await import(${JSON.stringify(CACHE_DIRECTORY)});`,
    `const { ContentHash } = await import(${JSON.stringify(CONTENT_HASH)});`,
    `CacheDirectory.open(process.argv[1], 'alien').store(ContentHash.parse(process.argv[2]), ${content});`,
  ].join('\n');
  const words = ['--input-type=module', '-e', program, alien.directory, `${hash}`];
  execFileSync(process.execPath, words, { uid: user.uid, gid: user.gid, stdio: 'inherit' });
  t.is(fs.readFileSync(CacheDirectory.open(alien.directory, 'alien').objectPath(hash), 'latin1'), 'content');
});

test('objects of an alien cache in a directory of a project belong to the group of the project', async (t) => {
  if (!isRoot) {
    t.log('skipped: the group of another user needs root');
    return t.pass();
  }
  const { objects, open } = await makeSite(t);
  const alien = directoryOf(t, 'alien');
  const project = join(alien.directory, '..');
  fs.chownSync(project, 0, user.gid);
  fs.chmodSync(project, 0o2770);
  await readAll(t, open(alien), objects);
  const directory = CacheDirectory.open(alien.directory, 'alien');
  for (const { request } of objects) t.is(fs.statSync(directory.objectPath(request.hash)).gid, user.gid);
});

test('what another client adds to an alien cache is found at once, and its modes are not touched', async (t) => {
  const { server, objects, open } = await makeSite(t);
  const alien = directoryOf(t, 'alien');
  const first = open(alien);
  t.is(first.open(objects[0].request.hash), undefined);
  await readAll(t, open(alien), objects);
  server.requests.length = 0;
  fs.chmodSync(alien.directory, 0o2770);
  await readAll(t, first, objects);
  t.is(server.requests.length, 0);
  t.is(fs.statSync(alien.directory).mode & 0o7777, 0o2770);
});

test('a read-only cache is read, and nothing is tried to be stored in it', async (t) => {
  const { server, objects, open, warnings } = await makeSite(t);
  const place = directoryOf(t);
  await readAll(t, open(place), objects.slice(0, 2));
  const before = fs.readdirSync(place.directory, { recursive: true }).sort();
  server.requests.length = 0;
  await readAll(t, open({ ...place, access: 'read-only' }), objects);
  t.is(server.requests.length, 1);
  t.deepEqual(fs.readdirSync(place.directory, { recursive: true }).sort(), before);
  t.deepEqual(warnings, []);
});

test('a tiered cache: what only the lower one has is used and copied up; what is fetched goes to both', async (t) => {
  const { server, objects, open } = await makeSite(t);
  const [upper, lower] = [directoryOf(t), directoryOf(t)];
  await readAll(t, open(lower), objects.slice(0, 2));
  server.requests.length = 0;
  await readAll(t, open({ kind: 'tiered', upper, lower }), objects);
  t.is(server.requests.length, 1);
  const [above, below] = [upper, lower].map(({ directory }) => CacheDirectory.open(directory));
  for (const { request } of objects) {
    await eventually(t, () => above.has(request.hash, request.size) && below.has(request.hash, request.size));
  }
  for (const { request, plain } of objects) t.true(fs.readFileSync(above.objectPath(request.hash)).equals(plain));
});

test('a copy that is under way when the store is closed does not appear without being noted', async (t) => {
  const { objects, open } = await makeSite(t, [20_000_000]);
  const [{ request }] = objects;
  const [upper, lower] = [{ ...directoryOf(t), limit: 100 * MEGABYTE }, directoryOf(t)];
  await readAll(t, open(lower), objects);
  const store = open({ kind: 'tiered', upper, lower });
  store.open(request.hash, request.size)?.close();
  const txn = join(upper.directory, 'txn');
  await eventually(t, () => fs.existsSync(txn) && fs.readdirSync(txn).length > 0);
  await store.close();
  await eventually(t, () => fs.readdirSync(txn).length === 0);
  const ledger = fs.readFileSync(join(upper.directory, 'quota.v1/ledger'), 'latin1');
  t.is(CacheDirectory.open(upper.directory).has(request.hash), ledger.includes(`+ ${request.hash}`));
});

test('a lower cache that is read-only gets nothing', async (t) => {
  const { objects, open } = await makeSite(t);
  const [upper, lower] = [directoryOf(t), directoryOf(t)];
  fs.mkdirSync(lower.directory);
  await readAll(t, open({ kind: 'tiered', upper, lower: { ...lower, access: 'read-only' } }), objects);
  t.deepEqual(fs.readdirSync(lower.directory), []);
});

test('a cache in memory forgets what was not used for longest', async (t) => {
  const site = await makeSite(t, [400_000, 400_000, 400_000]);
  const store = site.open({ kind: 'ram', limit: MEGABYTE });
  await readAll(t, store, site.objects.slice(0, 2));
  await readAll(t, store, [site.objects[0], site.objects[2]]);
  site.server.requests.length = 0;
  await readAll(t, store, [site.objects[0], site.objects[2]]);
  t.is(site.server.requests.length, 0);
  await readAll(t, store, [site.objects[1]]);
  t.is(site.server.requests.length, 1);
  t.true(store.status().memory <= MEGABYTE);
});

test('a streaming cache stores catalogs, not the data of files', async (t) => {
  const { root, objects, open } = await makeSite(t);
  const place = directoryOf(t);
  const store = open(place, true);
  await readAll(t, store, objects);
  const cache = CacheDirectory.open(place.directory);
  for (const { request } of objects) t.false(cache.has(request.hash));
  const catalog = makeObject(sampleBytes(9000, 77));
  const request = { ...catalog.request, letter: 'C' as const };
  publishObject(root, { ...catalog, request });
  await store.fetch(request);
  store.flush();
  t.true(cache.has(request.hash));
});

test.serial('on a full disk the cache makes room and goes on storing', async (t) => {
  const disk = temporaryDirectory(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=0700', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    t.log('skipped: mounting a small file system needs root');
    return t.pass();
  }
  t.teardown(() => execFileSync('umount', ['-l', disk]));
  const { objects, open } = await makeSite(
    t,
    Array.from({ length: 60 }, (_, i) => 150_000 + i * 1000),
  );
  const settings: CacheSettings = { kind: 'posix', directory: join(disk, 'cache'), access: 'private', limit: 4e9 };
  const store = open(settings);
  await readAll(t, store, objects.slice(0, 10));
  // Somebody else fills the disk.
  const { bavail, bsize } = fs.statfsSync(disk);
  fs.writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, (bavail - 20) * bsize)));
  await readAll(t, store, objects.slice(10, 20));
  await new Promise((resolve) => setTimeout(resolve, 500));
  await readAll(t, store, objects.slice(20, 30));
  t.true(store.status().stored > 10, `${store.status().stored} stored in all, after the disk was full`);
  const { used = 0 } = store.status().quota ?? {};
  t.true(used <= 6 * MEGABYTE);
});
