// `cvmfsexec cache` over a cache with objects in it.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openCache } from '../../src/cache/open-cache.ts';
import { parseByteSize, readableBytes } from '../../src/cli/byte-sizes.ts';
import { makeObject, sampleBytes, temporaryDirectory } from '../support/object-fixture.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/tools.ts');

function made(t: ExecutionContext) {
  const directory = join(temporaryDirectory(t), 'cache');
  const { directory: cache, quota } = openCache({ kind: 'posix', directory, access: 'private', limit: 1e9 });
  const objects = [100_000, 200_000, 300_000].map((size, i) => makeObject(sampleBytes(size, i + 1)));
  for (const { request, plain } of objects) {
    quota?.noteStored({ ...request, label: `/file of ${plain.length}` }, plain.length);
    cache?.store(request.hash, plain);
  }
  quota?.close();
  const run = (...words: string[]) => {
    const args = [MAIN, 'cvmfsexec', 'cache', ...words, '-o', `CVMFS_CACHE_DIR=${directory}`];
    const environment = { PATH: process.env.PATH, HOME: '/nonexistent' };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: environment,
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  };
  return { directory, objects, cache: cache!, run };
}

test('show and list say what is there, also for programs', (t) => {
  const { directory, run } = made(t);
  const { status, stdout, stderr } = run();
  t.deepEqual([status, stderr], [0, '']);
  t.regex(stdout, new RegExp(`^directory  ${directory}\nobjects    3\nsize       5\\d\\d KiB|6\\d\\d KiB`));
  t.like(JSON.parse(run('show', '--json').stdout), { directory, objects: 3, limit: 4000 * 1024 * 1024 });
  t.regex(run('list').stdout, /^[0-9a-f]{40} 100000 \/file of 100000\n/);
});

test('cleanup removes the oldest, wipe everything', (t) => {
  const { objects, cache, run } = made(t);
  t.like(run('cleanup', '0.4M'), { status: 0, stderr: '' });
  t.deepEqual(
    objects.map(({ request }) => cache.has(request.hash)),
    [false, false, true],
  );
  t.regex(run('wipe').stdout, /: 1 objects removed/);
  t.like(JSON.parse(run('show', '--json').stdout), { objects: 0 });
});

test('check tells damage by its exit code, and removes it with --repair', (t) => {
  const { objects, cache, run } = made(t);
  fs.truncateSync(cache.objectPath(objects[1].request.hash), 0);
  t.like(run('check'), { status: 4 });
  const { status, stdout } = run('check', '--repair');
  t.is(status, 1);
  t.regex(stdout, new RegExp(`damaged: ${objects[1].request.hash}\n.*1 damaged, 1 removed`));
  t.like(run('check'), { status: 0 });
});

test('limit is kept with the cache, until it is the default again', (t) => {
  const { run } = made(t);
  t.is(run('limit', '20G').status, 0);
  t.like(JSON.parse(run('--json').stdout), { limit: 20 * 1024 ** 3 });
  t.is(run('limit', 'default').status, 0);
  t.like(JSON.parse(run('--json').stdout), { limit: 4000 * 1024 ** 2 });
});

test('what makes no sense is refused in one line', (t) => {
  const { run } = made(t);
  for (const words of [['limit'], ['cleanup', 'much']]) {
    const { status, stderr } = run(...words);
    t.is(status, 125);
    t.regex(stderr, /^cvmfsexec: [^\n]*size[^\n]*\n$/);
  }
});

test('sizes are in megabytes, or have a unit', (t) => {
  t.deepEqual(['20', '1.5G', '500MiB', '3k', 'x', '-1'].map(parseByteSize), [
    20 << 20,
    1.5 * 1024 ** 3,
    500 << 20,
    3072,
    undefined,
    undefined,
  ]);
  t.deepEqual([0, 1023, 1536, 200 * 1024 ** 3].map(readableBytes), ['0 bytes', '1023 bytes', '1.5 KiB', '200 GiB']);
});
