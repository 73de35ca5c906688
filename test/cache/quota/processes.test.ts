// Quotas kept by real processes that share one cache.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { CacheStatus } from '../../../src/cache/store.ts';
import { TestServer } from '../../support/http-server.ts';
import { makeObject, publishObject, sampleBytes, temporaryDirectory } from '../../support/object-fixture.ts';

const PROGRAM = join(import.meta.dirname, '../../support/quota-process.ts');

interface Site {
  readonly server: TestServer;
  readonly cache: string;
  readonly list: string;
  readonly count: number;
  /** Bytes of all objects. */
  readonly bytes: number;
}

/** Objects on a server: sizes from some kilobytes to a megabyte. */
async function makeSite(t: ExecutionContext, count: number): Promise<Site> {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  t.teardown(() => server.close());
  const sizes = Array.from({ length: count }, (_, i) => (i % 25 === 0 ? 900_000 : 4_000 + ((i * 7919) % 120_000)));
  const lines = sizes.map((size, i) => {
    const { request, plain } = publishObject(root, makeObject(sampleBytes(size, i + 1)));
    return `${request.hash} ${size} ${createHash('sha1').update(plain).digest('hex')}`;
  });
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { server, cache: join(temporaryDirectory(t), 'cache'), list: lines.join('\n'), count, bytes };
}

interface Reader {
  readonly child: ChildProcess;
  /** What it printed; undefined when it was killed. */
  readonly result: Promise<{ right: number; warnings: string[]; status: CacheStatus } | undefined>;
}

function reader(t: ExecutionContext, { server, cache, list }: Site, limit: number, rounds: number): Reader {
  const words = [PROGRAM, server.url, cache, `${limit}`, `${rounds}`];
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  child.stdin.end(list);
  t.teardown(() => child.kill('SIGKILL'));
  const result = text(child.stdout).then((output) => (output === '' ? undefined : JSON.parse(output)));
  return { child, result };
}

/** Bytes on disk of all objects and temporary files. */
function diskUsage(cache: string): number {
  let bytes = 0;
  for (const directory of fs.existsSync(cache) ? fs.readdirSync(cache) : []) {
    if (!/^([0-9a-f]{2}|txn)$/.test(directory)) continue;
    for (const name of fs.readdirSync(join(cache, directory))) {
      const stat = fs.lstatSync(join(cache, directory, name), { throwIfNoEntry: false });
      if (stat) bytes += stat.blocks * 512;
    }
  }
  return bytes;
}

/** Looks at the cache until `done`; the most that was seen. */
async function watchUsage(cache: string, done: Promise<unknown>): Promise<number> {
  let most = 0;
  let over = false;
  void done.finally(() => {
    over = true;
  });
  while (!over) {
    most = Math.max(most, diskUsage(cache));
    await sleep(15);
  }
  return Math.max(most, diskUsage(cache));
}

test.serial(
  'twenty processes read ten times what the quota allows: all is right, the limit holds within 10 %',
  async (t) => {
    t.timeout(180_000);
    const site = await makeSite(t, 250);
    const limit = Math.round(site.bytes / 10);
    // The large ones are under way for longer than anything small stays in the cache.
    for (const [, hash] of site.list.matchAll(/^..([0-9a-f]{38}) 900000 /gm)) {
      site.server.fault(new RegExp(hash), { dribble: { bytes: 150_000, every: 250 } });
    }
    const readers = Array.from({ length: 20 }, () => reader(t, site, limit, 1));
    const all = Promise.all(readers.map(({ result }) => result));
    const most = await watchUsage(site.cache, all);
    const results = await all;
    for (const result of results) t.like(result, { right: site.count, warnings: [] });
    t.log(`limit ${limit}, most ${most}, fetched ${results.reduce((sum, r) => sum + (r?.status.fetched ?? 0), 0)}`);
    t.true(most <= limit * 1.1, `${most} bytes of ${limit}`);
    t.true(most >= limit * 0.7, 'the cache was made use of');
    t.true(results.some((result) => result?.status.isKeeper));
  },
);

test.serial('where all fits, each object is fetched once by all together, and nothing is removed', async (t) => {
  t.timeout(180_000);
  const site = await makeSite(t, 200);
  const readers = Array.from({ length: 12 }, () => reader(t, site, site.bytes * 2, 2));
  const results = await Promise.all(readers.map(({ result }) => result));
  for (const result of results) t.like(result, { right: 2 * site.count, warnings: [] });
  const requests = site.server.requests.length;
  t.log(`${site.count} objects, ${requests} requests by 12 processes`);
  t.true(requests < site.count * 1.1);
  t.is((await reader(t, site, site.bytes * 2, 1).result)?.status.fetched, 0);
});

test.serial('the keeper is killed again and again: others go on, the limit holds', async (t) => {
  t.timeout(180_000);
  const site = await makeSite(t, 300);
  const limit = Math.round(site.bytes / 8);
  const running = new Set<Reader>();
  const ended: Promise<unknown>[] = [];
  const begin = () => {
    const started = reader(t, site, limit, 2);
    running.add(started);
    ended.push(started.result.finally(() => running.delete(started)));
  };
  for (let i = 0; i < 8; i++) begin();
  let killed = 0;
  const killer = (async () => {
    for (
      const deadline = performance.now() + 30_000;
      killed < 3 && running.size > 0 && performance.now() < deadline;
    ) {
      await sleep(100 + Math.random() * 400);
      const keeper = [...running].find(({ child }) => child.pid === holderOf(join(site.cache, 'quota.v1/lock')));
      if (!keeper) continue;
      keeper.child.kill('SIGKILL');
      killed++;
      begin();
    }
  })();
  const over = killer.then(() => Promise.all(ended));
  const most = await watchUsage(site.cache, over);
  const results = (await over).filter((result) => result !== undefined);
  t.log(`${killed} keepers killed; limit ${limit}, most ${most}`);
  t.true(killed >= 1);
  t.is(results.length, ended.length - killed);
  for (const result of results) t.like(result, { right: 2 * site.count, warnings: [] });
  t.true(most <= limit * 1.1, `${most} bytes of ${limit}`);
});

test.serial('a keeper that is stopped stops nobody, and the limit holds all the same', async (t) => {
  t.timeout(180_000);
  const site = await makeSite(t, 250);
  const limit = Math.round(site.bytes / 8);
  const first = reader(t, site, limit, 400);
  const lock = join(site.cache, 'quota.v1/lock');
  for (const deadline = performance.now() + 20_000; holderOf(lock) !== first.child.pid; await sleep(20)) {
    if (performance.now() > deadline) return t.fail('it did not become the keeper');
  }
  first.child.kill('SIGSTOP');
  const others = Array.from({ length: 4 }, () => reader(t, site, limit, 1));
  const all = Promise.all(others.map(({ result }) => result));
  const most = await watchUsage(site.cache, all);
  const results = await all;
  for (const result of results) t.like(result, { right: site.count, warnings: [] });
  t.true(most <= limit * 1.1, `${most} bytes of ${limit}`);
  t.true(results.some((result) => (result?.status.withoutRoom ?? 0) > 0));
  first.child.kill('SIGKILL');
  t.like(await reader(t, site, limit, 1).result, { right: site.count }, 'and when it is gone another one keeps it');
  t.true(diskUsage(site.cache) <= limit);
});

/** Pid of the process that holds a lock on the file, by /proc/locks. */
function holderOf(path: string): number | undefined {
  const inode = fs.statSync(path, { throwIfNoEntry: false })?.ino;
  if (inode === undefined) return undefined;
  for (const line of fs.readFileSync('/proc/locks', 'latin1').split('\n')) {
    const [, , , kind, pid, place = ''] = line.trim().split(/\s+/);
    if (kind === 'WRITE' && place.endsWith(`:${inode}`)) return Number(pid);
  }
  return undefined;
}
