import * as fs from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { CacheStore, type CacheStoreOptions } from '../../src/cache/store.ts';
import { Downloader } from '../../src/download/downloader.ts';
import { ContentHash } from '../../src/objects/hash.ts';
import type { LocalObject, ObjectRequest } from '../../src/objects/object.ts';
import { TestServer } from '../support/http-server.ts';
import { makeObject, publishObject, sampleBytes, temporaryDirectory } from '../support/object-fixture.ts';

interface Site {
  readonly root: string;
  readonly server: TestServer;
  readonly cache: CacheDirectory;
  readonly store: CacheStore;
  readonly warnings: string[];
}

async function makeSite(t: ExecutionContext, options: Partial<CacheStoreOptions> = {}): Promise<Site> {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  const cache = CacheDirectory.open(join(temporaryDirectory(t), 'cache'));
  const source = new Downloader({ servers: [server.url], timeoutDirect: 5, backoffInit: 0.02 });
  const warnings: string[] = [];
  const store = new CacheStore({ directory: cache, source, warn: (line) => warnings.push(line), ...options });
  t.teardown(async () => {
    source.close();
    await store.close();
    await server.close();
  });
  return { root, server, cache, store, warnings };
}

function contentOf(object: LocalObject | undefined): Buffer {
  if (!object) throw new Error('not local');
  const bytes = Buffer.alloc(object.size);
  for (let at = 0; at < bytes.length; ) at += object.read(bytes, at, bytes.length - at, at);
  object.close();
  return bytes;
}

/** What another process sees: only the directory. */
const onDisk = (site: Site, request: ObjectRequest) =>
  CacheDirectory.open(site.cache.path).open(request.hash, request.size);

function noLeftovers(t: ExecutionContext, cache: CacheDirectory): void {
  const txn = join(cache.path, 'txn');
  t.deepEqual(fs.existsSync(txn) ? fs.readdirSync(txn) : [], []);
}

const SIZES = [0, 1, 20_000, 262_144, 300_000, 1_100_000, 5_000_000];

for (const algorithm of ['sha1', 'rmd160', 'shake128'] as const) {
  for (const compression of ['zlib', 'none'] as const) {
    for (const sized of [true, false]) {
      test(`objects of all sizes arrive: ${algorithm}, ${compression}, size ${sized ? '' : 'not '}known`, async (t) => {
        const site = await makeSite(t);
        const shape = { algorithm, compression, sized };
        const objects = SIZES.map((size) => publishObject(site.root, makeObject(sampleBytes(size, size), shape)));
        for (const { request } of objects) t.is(site.store.open(request.hash), undefined);
        await Promise.all(objects.map(({ request }) => site.store.fetch(request)));
        for (const { request, plain } of objects) t.true(contentOf(site.store.open(request.hash)).equals(plain));
        site.store.flush();
        for (const { request, plain } of objects) t.true(contentOf(onDisk(site, request)).equals(plain));
        noLeftovers(t, site.cache);
      });
    }
  }
}

test('many ask for one object: one download', async (t) => {
  const site = await makeSite(t);
  for (const size of [1000, 2_000_000]) {
    const { request } = publishObject(site.root, makeObject(sampleBytes(size)));
    await Promise.all(Array.from({ length: 50 }, () => site.store.fetch(request)));
  }
  t.is(site.server.requests.length, 2);
});

test('what is local is not downloaded again, in this process or the next', async (t) => {
  const site = await makeSite(t);
  const { request } = publishObject(site.root, makeObject(sampleBytes(1000)));
  await site.store.fetch(request);
  await site.store.fetch(request);
  site.store.flush();
  const source = new Downloader({ servers: [site.server.url] });
  t.teardown(() => source.close());
  const next = new CacheStore({ directory: CacheDirectory.open(site.cache.path), source });
  await next.fetch(request);
  t.is(contentOf(next.open(request.hash)).length, 1000);
  t.is(site.server.requests.length, 1);
});

test('the reader is answered from memory before the disk is written, which follows by itself', async (t) => {
  const site = await makeSite(t);
  const { request, plain } = publishObject(site.root, makeObject(sampleBytes(1000)));
  await site.store.fetch(request);
  t.false(site.cache.has(request.hash));
  t.true(contentOf(site.store.open(request.hash)).equals(plain));
  for (let i = 0; i < 100 && !site.cache.has(request.hash); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  t.true(site.cache.has(request.hash, 1000));
});

test('what stays open for long is a file as soon as it can be one, and takes no memory', async (t) => {
  const site = await makeSite(t);
  const { request, plain } = publishObject(site.root, makeObject(sampleBytes(20_000)));
  await site.store.fetch(request);
  t.true(site.store.open(request.hash)?.inMemory);
  const object = site.store.open(request.hash, request.size, true);
  t.falsy(object?.inMemory);
  t.true(contentOf(object).equals(plain));
  site.cache.remove(request.hash);
  t.true(contentOf(site.store.open(request.hash, request.size, true)).equals(plain), 'it is still in memory');
  const source = new Downloader({ servers: [site.server.url] });
  t.teardown(() => source.close());
  const nowhere = new CacheStore({ source });
  await nowhere.fetch(request);
  t.true(nowhere.open(request.hash, request.size, true)?.inMemory);
});

test('recent objects leave memory, and are on disk then', async (t) => {
  const site = await makeSite(t, { memory: 50_000 });
  const objects = Array.from({ length: 20 }, (_, i) =>
    publishObject(site.root, makeObject(sampleBytes(10_000, i + 1))),
  );
  await Promise.all(objects.map(({ request }) => site.store.fetch(request)));
  for (const { request, plain } of objects) t.true(contentOf(site.store.open(request.hash)).equals(plain));
});

test('a damaged entry of the cache is fetched again when its size tells', async (t) => {
  const site = await makeSite(t);
  const { request, plain } = publishObject(site.root, makeObject(sampleBytes(1000)));
  for (const wrong of [Buffer.alloc(0), plain.subarray(0, 500)]) {
    site.cache.store(request.hash, wrong);
    await site.store.fetch(request);
    t.true(contentOf(site.store.open(request.hash, request.size)).equals(plain));
  }
});

test('an object that is missing everywhere is an error in one line, and can be had later', async (t) => {
  const site = await makeSite(t);
  const object = makeObject(sampleBytes(1000));
  const error = await t.throwsAsync(site.store.fetch(object.request), { message: /HTTP 404/ });
  t.false(error?.message.includes('\n'));
  publishObject(site.root, object);
  await site.store.fetch(object.request);
  t.true(contentOf(site.store.open(object.request.hash)).equals(object.plain));
});

test('an object without a hash is refused', async (t) => {
  const site = await makeSite(t);
  const hash = new ContentHash('sha1', '0'.repeat(40));
  await t.throwsAsync(site.store.fetch({ ...makeObject(Buffer.alloc(1)).request, hash }), { message: /no hash/ });
  t.is(site.server.requests.length, 0);
});

test('letters and the alternative path are part of the URL, not of the name in the cache', async (t) => {
  const site = await makeSite(t);
  const { request, stored } = makeObject(sampleBytes(1000));
  const { hash } = request;
  fs.writeFileSync(join(site.root, `.cvmfsalt-${hash}C`), stored);
  await site.store.fetch({ ...request, letter: 'C', alternativePath: true });
  t.deepEqual(site.server.paths(), [`/.cvmfsalt-${hash}C`]);
  t.truthy(site.store.open(hash));
});

test('external objects come by path and range from their own servers', async (t) => {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  const externalSource = new Downloader({ servers: [server.url] });
  t.teardown(async () => {
    externalSource.close();
    await server.close();
  });
  const site = await makeSite(t, { externalSource });
  const bytes = sampleBytes(100_000);
  fs.writeFileSync(join(root, 'a file'), bytes);
  const whole = makeObject(bytes, { compression: 'none' }).request;
  const part = makeObject(bytes.subarray(1000, 3000), { compression: 'none' }).request;
  await site.store.fetch({ ...whole, external: { path: '/a file' } });
  await site.store.fetch({ ...part, external: { path: '/a file', offset: 1000, length: 2000 } });
  t.true(contentOf(site.store.open(whole.hash)).equals(bytes));
  t.true(contentOf(site.store.open(part.hash)).equals(bytes.subarray(1000, 3000)));
  t.deepEqual(
    server.requests.map(({ path, headers }) => [path, headers.range]),
    [
      ['/a%20file', undefined],
      ['/a%20file', 'bytes=1000-2999'],
    ],
  );
  t.is(site.server.requests.length, 0);
});

test('external objects without servers for them are an error', async (t) => {
  const site = await makeSite(t);
  const { request } = makeObject(sampleBytes(10));
  await t.throwsAsync(site.store.fetch({ ...request, external: { path: '/x' } }), { message: /CVMFS_EXTERNAL_URL/ });
});

test('prefetched objects become local a few at a time, and failures are nobody’s', async (t) => {
  const site = await makeSite(t, { prefetches: 3 });
  site.server.latency = 20;
  const objects = Array.from({ length: 12 }, (_, i) => publishObject(site.root, makeObject(sampleBytes(5000, i + 1))));
  site.store.prefetch(makeObject(Buffer.from('missing')).request);
  for (const { request } of objects) site.store.prefetch(request);
  await new Promise((resolve) => setTimeout(resolve, 10));
  t.true(site.server.requests.length <= 3);
  await site.store.fetch(objects[11].request);
  const urgent = site.server.requests.findIndex(({ path }) => path.includes(objects[11].request.hash.hex.slice(2)));
  t.true(urgent <= 4, 'a reader does not wait behind prefetches');
  for (let i = 0; i < 200 && !objects.every(({ request }) => site.store.open(request.hash)); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  for (const { request, plain } of objects) t.true(contentOf(site.store.open(request.hash)).equals(plain));
  t.is(site.server.connections, 4);
});
