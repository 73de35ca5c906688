import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../src/cache/directory.ts';
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

interface Site {
  readonly objects: readonly MadeObject[];
  readonly store: CacheStore;
  readonly warnings: string[];
}

/** Small and large objects on a server, and a store over `directory`. */
async function makeSite(t: ExecutionContext, directory: CacheDirectory): Promise<Site> {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  const source = new Downloader({ servers: [server.url] });
  const warnings: string[] = [];
  const store = new CacheStore({ directory, source, warn: (line) => warnings.push(line) });
  t.teardown(async () => {
    source.close();
    await store.close();
    await server.close();
  });
  const sizes = [20_000, 3_000_000, 100, 2_000_000, 8_000_000];
  return {
    objects: sizes.map((size, i) => publishObject(root, makeObject(sampleBytes(size, i + 1)))),
    store,
    warnings,
  };
}

async function allReadable(t: ExecutionContext, { objects, store }: Site): Promise<void> {
  for (const { request, plain } of objects) {
    await store.fetch(request);
    store.flush();
    const object = store.open(request.hash, request.size);
    const bytes = Buffer.alloc(plain.length);
    t.is(object?.read(bytes, 0, bytes.length, 0), bytes.length);
    t.true(bytes.equals(plain));
    object?.close();
  }
}

/** A small file system of its own, if this user may mount one. */
function mountSmallDisk(t: ExecutionContext): string | undefined {
  const path = temporaryDirectory(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    t.log('skipped: mounting a small file system needs root');
    t.pass();
    return undefined;
  }
  t.teardown(() => execFileSync('umount', ['-l', path]));
  return path;
}

test.serial('a full disk: everything is served, one warning, what fits is stored, nothing is left over', async (t) => {
  const disk = mountSmallDisk(t);
  if (!disk) return;
  const cache = CacheDirectory.open(join(disk, 'cache'));
  const site = await makeSite(t, cache);
  await allReadable(t, site);
  t.is(site.warnings.length, 1);
  t.regex(site.warnings[0], /no space left; going on without storing/);
  t.deepEqual(fs.readdirSync(join(cache.path, 'txn')), []);
  t.true(cache.has(site.objects[0].request.hash));
  t.false(cache.has(site.objects[1].request.hash));
});

test.serial('a disk that is full before the cache has its directories', async (t) => {
  const disk = mountSmallDisk(t);
  if (!disk) return;
  fs.writeFileSync(join(disk, 'filler'), Buffer.alloc(2 * 1024 * 1024 - 16384));
  const site = await makeSite(t, CacheDirectory.open(join(disk, 'cache')));
  await allReadable(t, site);
  t.is(site.warnings.length, 1);
});

test.serial('a read-only file system: everything is served, one warning', async (t) => {
  const disk = mountSmallDisk(t);
  if (!disk) return;
  const path = join(disk, 'cache');
  CacheDirectory.open(path);
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const site = await makeSite(t, CacheDirectory.open(path));
  await allReadable(t, site);
  t.deepEqual(site.warnings.length, 1);
  t.regex(site.warnings[0], /read-only file system/);
});

test('a directory that may not be written to: everything is served, one warning', async (t) => {
  const path = join(temporaryDirectory(t), 'cache');
  const cache = CacheDirectory.open(path);
  // As root permissions do not bind: a file where the temporary files should go does the same.
  fs.writeFileSync(join(path, 'txn'), '');
  fs.chmodSync(path, 0o500);
  t.teardown(() => fs.chmodSync(path, 0o700));
  const site = await makeSite(t, cache);
  await allReadable(t, site);
  t.is(site.warnings.length, 1);
});

test('many large readers at once without a disk: each gets its object', async (t) => {
  const path = join(temporaryDirectory(t), 'cache');
  const cache = CacheDirectory.open(path);
  fs.writeFileSync(join(path, 'txn'), '');
  const site = await makeSite(t, cache);
  const { objects, store } = site;
  await Promise.all(
    objects
      .flatMap((object) => [object, object])
      .map(async ({ request, plain }) => {
        await store.fetch(request);
        const local = store.open(request.hash, request.size);
        t.is(local?.size, plain.length);
        local?.close();
      }),
  );
  t.is(site.warnings.length, 1);
});
