import { lutimesSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { FetchClaims } from '../../src/cache/fetch-claims.ts';
import { CacheStore } from '../../src/cache/store.ts';
import { Downloader } from '../../src/download/downloader.ts';
import { TestServer } from '../support/http-server.ts';
import { makeObject, publishObject, sampleBytes, temporaryDirectory } from '../support/object-fixture.ts';

/** Two stores on one cache, as two processes have them, and an object on a server. */
async function site(t: ExecutionContext, bytes = 50_000) {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  t.teardown(() => server.close());
  const { request } = publishObject(root, makeObject(sampleBytes(bytes, 1)));
  const cache = join(temporaryDirectory(t), 'cache');
  const claims = join(cache, 'fetching');
  const [one, other] = [0, 1].map(() => {
    const source = new Downloader({ servers: [server.url], timeoutDirect: 2, maxRetries: 0 });
    t.teardown(() => source.close());
    const store = new CacheStore({ directory: CacheDirectory.open(cache), source, claims: new FetchClaims(claims) });
    t.teardown(() => store.close());
    return store;
  });
  const asked = () => server.paths(/\/data\//).length;
  return { server, request, claims, one, other, asked };
}

for (const bytes of [50_000, 3_000_000]) {
  test(`two who want the same object of ${bytes} bytes at once: one fetches it`, async (t) => {
    const { server, request, claims, one, other, asked } = await site(t, bytes);
    server.latency = 100;
    await Promise.all([one.fetch(request), other.fetch(request)]);
    t.is(asked(), 1);
    for (const store of [one, other]) {
      const object = store.open(request.hash, bytes);
      t.truthy(object);
      object?.close();
    }
    one.flush();
    t.deepEqual(readdirSync(claims), []);
  });
}

test('when the one who fetches fails, the other tries for itself', async (t) => {
  const { server, request, claims, one, other, asked } = await site(t);
  server.fault(/\/data\//, { status: 404, delay: 100 }, 1);
  const [first, second] = await Promise.allSettled([one.fetch(request), other.fetch(request)]);
  t.deepEqual([first.status, second.status], ['rejected', 'fulfilled']);
  t.is(asked(), 2);
  other.flush();
  t.deepEqual(readdirSync(claims), []);
});

test.serial('the claim of a process that was killed is waited for a moment only', async (t) => {
  const { request, claims, one, asked } = await site(t);
  mkdirSync(claims, { recursive: true });
  symlinkSync('claim', join(claims, request.hash.toString()));
  const began = performance.now();
  const [waited, moment] = await Promise.all([
    one.fetch(request).then(() => performance.now() - began),
    // What 1.5 s of short pauses take on this machine now.
    (async () => {
      for (let i = 0; i < 75; i++) await sleep(20);
      return performance.now() - began;
    })(),
  ]);
  t.true(waited < 2 * moment, `${waited} of ${moment} ms`);
  t.is(asked(), 1);
});

test.serial('the claim of a process that was killed long ago is not waited for', async (t) => {
  const { request, claims, one } = await site(t);
  mkdirSync(claims, { recursive: true });
  const claim = join(claims, request.hash.toString());
  symlinkSync('claim', claim);
  const longAgo = new Date(Date.now() - 60_000);
  lutimesSync(claim, longAgo, longAgo);
  const began = performance.now();
  await one.fetch(request);
  t.true(performance.now() - began < 1000, `${performance.now() - began} ms`);
});

test.serial('a machine that stands still for a while makes nobody dead', async (t) => {
  const { server, request, one, other, asked } = await site(t);
  server.fault(/\/data\//, { dribble: { bytes: 25_000, every: 300 } }, 1);
  const both = Promise.all([one.fetch(request), other.fetch(request)]);
  await sleep(100);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
  await both;
  t.is(asked(), 1);
});

test('one to whom no bytes come is not waited for long', async (t) => {
  const { server, request, one, other } = await site(t);
  server.fault(/\/data\//, { hang: 10 }, 1);
  const stuck = one.fetch(request).catch(() => {});
  await sleep(50);
  const began = performance.now();
  await other.fetch(request);
  t.true(performance.now() - began < 8000);
  await stuck;
});

test('one to whom bytes come slowly is waited for', async (t) => {
  const { server, request, one, other, asked } = await site(t, 100_000);
  server.fault(/\/data\//, { dribble: { bytes: 25_000, every: 800 } }, 1);
  await Promise.all([one.fetch(request), sleep(50).then(() => other.fetch(request))]);
  t.is(asked(), 1);
});

test('where no claim can be made each fetches for itself', async (t) => {
  const { request, one } = await site(t);
  const nowhere = new FetchClaims('/proc/nowhere');
  t.true(nowhere.take(request.hash, () => 0));
  await one.fetch(request);
  t.pass();
});

test('what dead processes left is removed when it is old', async (t) => {
  const { request, claims, one } = await site(t);
  await one.fetch(request);
  one.flush();
  const [old, recent] = [join(claims, 'old'), join(claims, 'recent')];
  for (const path of [old, recent]) symlinkSync('claim', path);
  lutimesSync(old, new Date(0), new Date(0));
  new FetchClaims(claims).sweep();
  t.deepEqual(readdirSync(claims), ['recent']);
});
