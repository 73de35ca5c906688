import * as fs from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { CacheStore } from '../../src/cache/store.ts';
import { Downloader } from '../../src/download/downloader.ts';
import { ContentHash } from '../../src/objects/hash.ts';
import { type ObjectRequest, objectPath } from '../../src/objects/object.ts';
import { type Fault, TestServer } from '../support/http-server.ts';
import {
  type MadeObject,
  makeObject,
  publishObject,
  sampleBytes,
  temporaryDirectory,
} from '../support/object-fixture.ts';

interface Site {
  readonly servers: readonly TestServer[];
  readonly cache: CacheDirectory;
  readonly store: CacheStore;
  publish(object: MadeObject): MadeObject;
}

/** Two servers of the same directory. */
async function makeSite(t: ExecutionContext): Promise<Site> {
  const root = temporaryDirectory(t);
  const servers = [await TestServer.start({ root }), await TestServer.start({ root })];
  const cache = CacheDirectory.open(join(temporaryDirectory(t), 'cache'));
  const settings = { servers: servers.map((server) => server.url), timeoutDirect: 5, backoffInit: 0.02 };
  const source = new Downloader(settings);
  const store = new CacheStore({ directory: cache, source });
  t.teardown(async () => {
    source.close();
    await store.close();
    for (const server of servers) await server.close();
  });
  return { servers, cache, store, publish: (object) => publishObject(root, object) };
}

/** The object is neither served nor stored, and nothing is left of the attempt. */
async function refused(t: ExecutionContext, site: Site, request: ObjectRequest, message: RegExp): Promise<void> {
  await t.throwsAsync(site.store.fetch(request), { message });
  site.store.flush();
  t.is(site.store.open(request.hash), undefined);
  t.false(fs.existsSync(site.cache.objectPath(request.hash)));
  // Blocks on their way to the disk may outlive the attempt for a moment.
  const txn = join(site.cache.path, 'txn');
  for (let i = 0; i < 100 && fs.existsSync(txn) && fs.readdirSync(txn).length > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.deepEqual(fs.existsSync(txn) ? fs.readdirSync(txn) : [], []);
}

const SMALL = 20_000;
const LARGE = 3_000_000;

for (const [kind, size] of Object.entries({ small: SMALL, large: LARGE })) {
  for (const compression of ['zlib', 'none'] as const) {
    const what = `a ${kind} object (${compression})`;

    test(`${what} that is corrupt on one server: past the caches, then from the next`, async (t) => {
      const site = await makeSite(t);
      const { request, plain } = site.publish(makeObject(sampleBytes(size), { compression }));
      site.servers[0].fault(/./, { corrupt: 1000 });
      await site.store.fetch(request);
      const object = site.store.open(request.hash);
      const bytes = Buffer.alloc(size);
      t.is(object?.read(bytes, 0, size, 0), size);
      object?.close();
      t.true(bytes.equals(plain));
      const asked = site.servers[0].requests.map(({ headers }) => [headers['cache-control'], headers.pragma]);
      t.deepEqual(asked, [
        [undefined, undefined],
        ['no-cache', 'no-cache'],
      ]);
      t.is(site.servers[1].requests.length, 1);
    });

    test(`${what} that is corrupt on all servers is refused`, async (t) => {
      const site = await makeSite(t);
      const { request } = site.publish(makeObject(sampleBytes(size), { compression }));
      for (const server of site.servers) server.fault(/./, { corrupt: size / 4 });
      await refused(t, site, request, /damaged data/);
      t.deepEqual(
        site.servers.map((server) => server.requests.length),
        [2, 2],
      );
    });

    test(`${what} that is truncated, with or without a sign, is refused`, async (t) => {
      const site = await makeSite(t);
      const { request, stored } = site.publish(makeObject(sampleBytes(size), { compression }));
      const faults: Fault[] = [
        { truncate: 5000 },
        { body: stored.subarray(0, -1) },
        { body: stored.subarray(0, -1), framing: 'none' },
        { body: '' },
      ];
      for (const fault of faults) {
        for (const server of site.servers) server.fault(/./, fault);
        await refused(t, site, request, /cannot download/);
      }
    });

    test(`${what} that does not end is given up`, async (t) => {
      const site = await makeSite(t);
      const { request } = site.publish(makeObject(sampleBytes(size), { compression }));
      for (const server of site.servers) server.fault(/./, { endless: true });
      await refused(t, site, request, /more bytes where|cannot be uncompressed/);
      const headers = { 'content-length': '9000000000000' };
      for (const server of site.servers) server.fault(/./, { endless: true, headers });
      await refused(t, site, request, /more bytes where/);
    });
  }

  test(`a ${kind} object of another size than the catalog says is refused`, async (t) => {
    const site = await makeSite(t);
    for (const difference of [-1, 1, -1000, 1000]) {
      const { request } = site.publish(makeObject(sampleBytes(size)));
      await refused(t, site, { ...request, size: size + difference }, /bytes where .* expected/);
    }
  });

  test(`a ${kind} object whose hash is right but which is not exactly one zlib stream is refused`, async (t) => {
    const site = await makeSite(t);
    const plain = sampleBytes(size);
    const stream = deflateSync(plain);
    const wrong = [
      plain,
      stream.subarray(0, -1),
      stream.subarray(0, -size / 10),
      Buffer.concat([stream, plain.subarray(0, size / 10)]),
    ];
    for (const stored of wrong) {
      const request: ObjectRequest = { ...makeObject(plain).request, hash: ContentHash.of('sha1', stored) };
      site.publish({ request, plain, stored });
      await refused(t, site, request, /cannot be uncompressed/);
    }
  });
}

test('a small transfer that would become very large is stopped', async (t) => {
  const site = await makeSite(t);
  const bomb = site.publish(makeObject(Buffer.alloc(50_000_000)));
  t.true(bomb.stored.length < 200_000);
  for (const size of [1000, 2_000_000]) await refused(t, site, { ...bomb.request, size }, /has more bytes where/);
});

test('a large bomb, right by its hash, writes no more than the object would have', async (t) => {
  const site = await makeSite(t);
  const bomb = site.publish(makeObject(Buffer.concat([sampleBytes(800_000), Buffer.alloc(60_000_000)])));
  t.true(bomb.stored.length > 300_000);
  const request = { ...bomb.request, size: 2_000_000 };
  let largest = 0;
  const txn = join(site.cache.path, 'txn');
  const watch = setInterval(() => {
    for (const name of fs.existsSync(txn) ? fs.readdirSync(txn) : []) {
      largest = Math.max(largest, fs.statSync(join(txn, name), { throwIfNoEntry: false })?.size ?? 0);
    }
  }, 1);
  t.teardown(() => clearInterval(watch));
  await refused(t, site, request, /more bytes where/);
  t.true(largest <= 2_000_000, `${largest} bytes`);
});

test('an answer with the content of another object is refused', async (t) => {
  const site = await makeSite(t);
  const [wanted, other] = [makeObject(sampleBytes(SMALL, 1)), makeObject(sampleBytes(SMALL, 2))];
  for (const server of site.servers) server.fault(new RegExp(objectPath(wanted.request)), { body: other.stored });
  await refused(t, site, wanted.request, /another hash/);
});
