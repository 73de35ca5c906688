import * as fs from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { checkCache } from '../../src/cache/check.ts';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { cleanUp, cleanups, listObjects, wipe } from '../../src/cache/maintenance.ts';
import { type OpenedCache, openCache } from '../../src/cache/open-cache.ts';
import { CacheStore } from '../../src/cache/store.ts';
import { Downloader } from '../../src/download/downloader.ts';
import { ContentHash } from '../../src/objects/hash.ts';
import type { ObjectRequest } from '../../src/objects/object.ts';
import { TestServer } from '../support/http-server.ts';
import {
  type MadeObject,
  makeObject,
  publishObject,
  sampleBytes,
  temporaryDirectory,
} from '../support/object-fixture.ts';

const MEGABYTE = 1 << 20;

interface Site {
  readonly root: string;
  readonly server: TestServer;
  readonly path: string;
  readonly opened: OpenedCache;
  readonly store: CacheStore;
}

/** A cache with a quota; `again` opens it as the next job does. */
async function makeSite(t: ExecutionContext, megabytes: number | null = 100): Promise<Site & { again: () => Site }> {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  t.teardown(() => server.close());
  const path = join(temporaryDirectory(t), 'cache');
  const limit = megabytes === null ? undefined : megabytes * MEGABYTE;
  const again = (): Site => {
    const opened = openCache({ kind: 'posix', directory: path, access: 'private', limit }, (line) => t.fail(line));
    const source = new Downloader({ servers: [server.url] });
    const store = new CacheStore({ ...opened, source, memory: 0, warn: (line) => t.fail(line) });
    t.teardown(async () => {
      source.close();
      await store.close();
    });
    return { root, server, path, opened, store };
  };
  return { ...again(), again };
}

async function stored(site: Site, sizes: readonly number[]): Promise<MadeObject[]> {
  const objects = sizes.map((size, i) => publishObject(site.root, makeObject(sampleBytes(size, i + 1))));
  for (const { request } of objects) await site.store.fetch(request);
  site.store.flush();
  return objects;
}

function contentOf(site: Site, { request }: MadeObject): Buffer | undefined {
  const object = site.store.open(request.hash, request.size);
  if (!object) return undefined;
  const bytes = Buffer.alloc(object.size);
  object.read(bytes, 0, bytes.length, 0);
  object.close();
  return bytes;
}

const SIZES = [10_000, 700_000, 30_000];

test('an entry that was changed after it was stored is thrown away when it is opened, and fetched again', async (t) => {
  const site = await makeSite(t);
  const objects = await stored(site, SIZES);
  for (const { request, plain } of objects) {
    const changed = Buffer.from(plain);
    changed[changed.length >> 1] ^= 1;
    fs.writeFileSync(new CacheDirectoryOf(site).objectPath(request), changed);
  }
  const next = site.again();
  for (const object of objects) {
    t.is(contentOf(next, object), undefined);
    await next.store.fetch(object.request);
    t.true(contentOf(next, object)?.equals(object.plain));
  }
});

class CacheDirectoryOf {
  readonly #directory: CacheDirectory;
  constructor({ path }: Site) {
    this.#directory = CacheDirectory.open(path);
  }
  objectPath({ hash }: ObjectRequest): string {
    return this.#directory.objectPath(hash);
  }
}

test('a sound entry with another time, as a copy has it, is used, and compared only once', async (t) => {
  const site = await makeSite(t);
  const [object] = await stored(site, [50_000]);
  const path = new CacheDirectoryOf(site).objectPath(object.request);
  fs.utimesSync(path, 1_700_000_000.5, 1_700_000_000.5);
  t.true(contentOf(site.again(), object)?.equals(object.plain));
  t.is(fs.statSync(path).mtimeMs % 1000, 0);
});

test('check finds damage of the same size and time, and with repair removes it', async (t) => {
  const site = await makeSite(t);
  const objects = await stored(site, SIZES);
  const path = new CacheDirectoryOf(site).objectPath(objects[1].request);
  const { mtime } = fs.statSync(path);
  const changed = fs.readFileSync(path);
  changed[5] ^= 1;
  fs.writeFileSync(path, changed);
  fs.utimesSync(path, mtime, mtime);
  const checksumOf = site.opened.quota!.checksums;
  const damaged = [objects[1].request.hash.toString()];
  t.deepEqual(await checkCache(site.path, { checksumOf, repair: false }), {
    files: 3,
    sound: 2,
    unknown: 0,
    damaged,
    removed: 0,
  });
  const onRemove = () => t.true(fs.existsSync(path), 'noted before it is gone');
  t.like(await checkCache(site.path, { checksumOf, repair: true, onRemove }), { damaged, removed: 1 });
  t.like(await checkCache(site.path, { checksumOf, repair: false }), { files: 2, damaged: [] });
});

test('without checksums names are compared, and what cannot be told is left alone', async (t) => {
  const path = join(temporaryDirectory(t), 'cache');
  const cache = CacheDirectory.open(path);
  const plain = sampleBytes(5000);
  const store = (compressed: Buffer, content: Buffer) => cache.store(ContentHash.of('sha1', compressed), content);
  store(plain, plain);
  store(deflateSync(plain), plain);
  store(deflateSync(plain, { level: 1 }), plain);
  fs.writeFileSync(cache.objectPath(ContentHash.of('sha1', Buffer.from('cut off'))), '');
  const result = await checkCache(path, { checksumOf: () => undefined, repair: true });
  t.like(result, { files: 4, sound: 2, unknown: 1, removed: 1 });
});

test('objects that somebody else put there are counted, and removed first', async (t) => {
  const site = await makeSite(t);
  const theirs = CacheDirectory.open(site.path);
  const foreign = Array.from({ length: 20 }, (_, i) => sampleBytes(100_000, 1000 + i));
  for (const content of foreign) theirs.store(ContentHash.of('sha1', content), content);
  const ours = await stored(site, [200_000]);
  const quota = site.opened.quota!;
  t.true(await cleanUp(quota, 500_000));
  const { used = 0, objects } = quota.state() ?? {};
  t.true(used <= 500_000 && used > 300_000, `${used} bytes remain`);
  t.is(objects, foreign.filter((content) => theirs.has(ContentHash.of('sha1', content))).length + 1);
  t.truthy(contentOf(site, ours[0]), 'the newest stays');
  t.is(cleanups(quota.files, 5), 1);
});

test('a clean-up ends while others go on noting what they use', async (t) => {
  const site = await makeSite(t);
  const [{ request }] = await stored(site, SIZES);
  const other = site.again().opened.quota!;
  let pause = setImmediate(() => {});
  const use = () => {
    other.pin(request.hash, false);
    pause = setImmediate(use);
  };
  use();
  t.teardown(() => clearImmediate(pause));
  t.true(await cleanUp(site.opened.quota!, 100_000));
});

test('what the ledger knows of is listed by its label; pinned entries outlive a clean-up', async (t) => {
  const site = await makeSite(t);
  const objects = await stored(site, SIZES);
  const quota = site.opened.quota!;
  quota.pin(objects[0].request.hash, true);
  t.deepEqual(
    listObjects(quota.files, 'all').map(({ size, label }) => [size, label]),
    SIZES.map((size) => [size, '/file']),
  );
  t.is(listObjects(quota.files, 'pinned').length, 1);
  t.deepEqual(listObjects(quota.files, 'catalogs'), []);
  t.false(await cleanUp(quota, 0, 1500), 'not all can go');
  t.true(contentOf(site, objects[0])?.equals(objects[0].plain));
  t.is(contentOf(site, objects[1]), undefined);
});

test('a limit that is set later holds for all processes', async (t) => {
  const site = await makeSite(t);
  await stored(
    site,
    Array.from({ length: 10 }, () => 200_000),
  );
  const quota = site.opened.quota!;
  quota.files.limit = MEGABYTE;
  await stored(site, [1000]);
  for (let i = 0; i < 100 && (quota.state()?.used ?? Infinity) > MEGABYTE; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.true((quota.state()?.used ?? Infinity) <= MEGABYTE);
});

test('a limit is replaced, never gone for a moment', async (t) => {
  const { files } = (await makeSite(t)).opened.quota!;
  files.limit = MEGABYTE;
  const held = fs.openSync(join(files.directory, 'limit'), 'r');
  t.teardown(() => fs.closeSync(held));
  files.limit = 2 * MEGABYTE;
  t.is(fs.readFileSync(held, 'latin1'), `${MEGABYTE}\n`, 'who reads it meanwhile gets the old one whole');
  t.is(files.limit, 2 * MEGABYTE);
  t.deepEqual(
    fs.readdirSync(files.directory).filter((name) => name.startsWith('limit')),
    ['limit'],
  );
});

test('an object is thrown away after that was noted', async (t) => {
  const site = await makeSite(t);
  const [{ request }] = await stored(site, [10_000]);
  const quota = site.opened.quota!;
  const path = new CacheDirectoryOf(site).objectPath(request);
  const removed = quota.removed.bind(quota);
  quota.removed = (hash) => {
    t.true(fs.existsSync(path));
    removed(hash);
  };
  site.store.evict(request.hash);
  t.false(fs.existsSync(path));
  t.deepEqual(listObjects(quota.files, 'all'), []);
  t.plan(3);
});

test('wiping a cache that is in use: everything goes, readers go on, and fetch again', async (t) => {
  const site = await makeSite(t);
  const objects = await stored(site, SIZES);
  const held = site.store.open(objects[0].request.hash);
  t.like(await wipe(site.path, site.again().opened.quota), { objects: 3 });
  const bytes = Buffer.alloc(SIZES[0]);
  t.is(held?.read(bytes, 0, bytes.length, 0), bytes.length);
  t.true(bytes.equals(objects[0].plain));
  held?.close();
  for (const object of objects) {
    t.is(contentOf(site, object), undefined);
    await site.store.fetch(object.request);
    t.true(contentOf(site, object)?.equals(object.plain));
  }
});

test('a cache that is removed while it is used is made again, with its accounts', async (t) => {
  const site = await makeSite(t);
  const objects = await stored(site, SIZES);
  fs.rmSync(site.path, { recursive: true });
  for (const object of objects) await site.store.fetch(object.request);
  site.store.flush();
  for (const object of objects) t.true(contentOf(site, object)?.equals(object.plain));
  t.is(listObjects(site.opened.quota!.files, 'all').length, 3);
});

test('without a limit nothing is removed, but checksums are noted', async (t) => {
  const site = await makeSite(t, null);
  const [{ request }] = await stored(site, [10_000]);
  t.not(site.opened.quota?.checksums(request.hash), undefined);
});
