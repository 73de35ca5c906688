import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { TestServer } from '../support/http-server.ts';
import {
  type MadeObject,
  makeObject,
  publishObject,
  sampleBytes,
  temporaryDirectory,
} from '../support/object-fixture.ts';

const PROGRAM = new URL('../support/fetch-objects.ts', import.meta.url).pathname;

/** A process of its own that fetches all objects and compares them. */
function fetchAll(t: ExecutionContext, url: string, cache: string, objects: readonly MadeObject[]): ChildProcess {
  const list = objects.map(({ request, plain }) => `${request.hash} ${plain.length}`).join('\n');
  const child = spawn(process.execPath, [PROGRAM, url, cache], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin?.on('error', () => {});
  child.stdin?.end(list);
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

const exitOf = (child: ChildProcess) =>
  new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );

function checkCache(t: ExecutionContext, cache: CacheDirectory, objects: readonly MadeObject[]): void {
  for (const { request, plain } of objects) {
    t.true(fs.readFileSync(cache.objectPath(request.hash)).equals(plain), String(request.hash));
  }
}

test('twenty processes fetch the same objects into one new cache: all are right, nothing is left over', async (t) => {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  t.teardown(() => server.close());
  const cache = join(temporaryDirectory(t), 'cache');
  const sizes = Array.from({ length: 40 }, (_, i) => (i % 10 === 0 ? 1_500_000 : 1000 * i));
  const objects = sizes.map((size, i) => publishObject(root, makeObject(sampleBytes(size, i + 1))));
  const children = Array.from({ length: 20 }, () => fetchAll(t, server.url, cache, objects));
  t.deepEqual(await Promise.all(children.map(exitOf)), Array(20).fill(0));
  checkCache(t, CacheDirectory.open(cache), objects);
  t.deepEqual(fs.readdirSync(join(cache, 'txn')), []);
});

test('processes killed at any moment leave nothing wrong, and what they leave is swept', async (t) => {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  t.teardown(() => server.close());
  const path = join(temporaryDirectory(t), 'cache');
  const cache = CacheDirectory.open(path);
  const objects = Array.from({ length: 30 }, (_, i) => {
    return publishObject(root, makeObject(sampleBytes(i % 3 === 0 ? 8_000_000 : 20_000, i + 1)));
  });
  const txn = join(path, 'txn');
  let interrupted = 0;
  for (let round = 0; round < 6; round++) {
    const child = fetchAll(t, server.url, path, objects);
    const ended = exitOf(child);
    const asked = server.requests.length;
    const deadline = performance.now() + 20_000;
    while (performance.now() < deadline && server.requests.length < asked + 1 + round * 2) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (round % 2 === 0) {
      while (performance.now() < deadline && !(fs.existsSync(txn) && fs.readdirSync(txn).length > 0)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    child.kill('SIGKILL');
    await ended;
    if (fs.readdirSync(txn).length > 0) interrupted++;
    for (const { request, plain } of objects) {
      const file = cache.objectPath(request.hash);
      if (fs.existsSync(file)) t.true(fs.readFileSync(file).equals(plain));
    }
    for (const { request } of objects) if (round < 5) cache.remove(request.hash);
  }
  t.true(interrupted > 0, 'at least one died in the middle of storing');
  t.is(await exitOf(fetchAll(t, server.url, path, objects)), 0);
  checkCache(t, cache, objects);
  cache.sweep();
  t.deepEqual(fs.readdirSync(txn), []);
});
