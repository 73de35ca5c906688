// The cache under real jobs when it is too small, when jobs are killed in the middle, and when its accounts are damaged.
import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { TestServer } from '../support/http-server.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, ordinaryUser } from '../support/run-cvmfsexec.ts';

const FQRN = 'cached.example.org';
const FILES = 60;
const READ_ALL = `cd /cvmfs/${FQRN} && sha256sum large file-*`;

const place = new Installation();
let repository: TestRepository;
let server: TestServer;
/** What READ_ALL prints. */
let expected = '';

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: FQRN,
    xattrs: new Map(),
    chunkSizes: { min: 4 << 20, average: 8 << 20, max: 16 << 20 },
    writeTree(directory) {
      const write = (name: string, size: number) =>
        writeFileSync(join(directory, name), createHash('shake256', { outputLength: size }).update(name).digest());
      write('large', 10_000_000);
      for (let i = 0; i < FILES; i++) write(`file-${i}`, 100_000);
    },
  });
  const names = ['large', ...readdirSync(repository.tree).filter((name) => name !== 'large')];
  expected = names
    .sort((a, b) => Number(b === 'large') - Number(a === 'large') || (a < b ? -1 : 1))
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(repository.tree, name)))
          .digest('hex')}  ${name}\n`,
    )
    .join('');
  server = await TestServer.start({ root: repository.serverRoot });
});

test.after.always(async () => {
  await server?.close();
  await place.close();
  repository?.remove();
});

function launch(script: string, cache: string, quota: number) {
  return {
    repositories: [FQRN],
    parameters: {
      SERVER_URL: `${server.url}/@fqrn@`,
      KEYS_DIR: repository.clientKeys,
      CACHE_BASE: cache,
      QUOTA_LIMIT: String(quota),
    },
    command: ['sh', '-c', `export LC_ALL=C; ${script}`],
  };
}

/** Bytes of objects and temporary files. */
function bytesIn(cache: string): number {
  const directories = readdirSync(join(cache, 'shared')).filter((name) => /^([0-9a-f]{2}|txn)$/.test(name));
  return directories
    .flatMap((name) => readdirSync(join(cache, 'shared', name)).map((file) => join(cache, 'shared', name, file)))
    .reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}

test.serial('a cache that is smaller than one file: all is read right, and the limit holds', async (t) => {
  const cache = place.newPath();
  for (let round = 0; round < 2; round++) {
    const { stdout, stderr } = await place.run(launch(READ_ALL, cache, 2));
    t.is(stdout, expected, stderr);
    t.is(stderr, '');
    t.true(bytesIn(cache) <= 2.2e6, `${bytesIn(cache)} bytes`);
  }
});

test.serial('jobs that are killed while they fill the cache leave it as good as it was', async (t) => {
  const cache = place.newPath();
  for (let delay = 50; delay <= 450; delay += 100) {
    const job = place.start(launch(`echo begin; ${READ_ALL}`, cache, 100));
    await new Promise((resolve) => job.stdout?.once('data', resolve));
    await new Promise((resolve) => setTimeout(resolve, delay));
    job.kill('SIGKILL');
    await job;
  }
  const { stdout, stderr } = await place.run(launch(READ_ALL, cache, 100));
  t.is(stdout, expected, stderr);
  t.is(stderr, '');
  const check = await place.runTool(['cache', 'check', FQRN, ...options(cache)]);
  t.is(check.exitCode, 0, check.stdout + check.stderr);
});

const DAMAGE: Readonly<Record<string, (quota: string) => void>> = {
  'are gone': (quota) => rmSync(quota, { recursive: true }),
  'are cut off': (quota) => truncateSync(join(quota, 'ledger'), 1000),
  'are nonsense': (quota) => {
    for (const name of ['ledger', 'state']) writeFileSync(join(quota, name), 'x'.repeat(5000));
  },
};

for (const [what, damage] of Object.entries(DAMAGE)) {
  test.serial(`a cache whose accounts ${what}: it is counted anew, and the limit holds`, async (t) => {
    const cache = place.newPath();
    t.is((await place.run(launch(READ_ALL, cache, 100))).stdout, expected);
    const quota = join(cache, 'shared/quota.v1');
    damage(quota);
    if (existsSync(quota) && process.getuid?.() === 0) {
      for (const name of ['ledger', 'state']) chownSync(join(quota, name), ordinaryUser.uid, ordinaryUser.gid);
    }
    // Something has to be stored anew.
    for (let i = 0; i < 16; i++) rmSync(join(cache, 'shared', `0${i.toString(16)}`), { recursive: true });
    t.true(bytesIn(cache) > 12e6);
    // What was there before is found, and has to go.
    const { stdout, stderr } = await place.run(
      launch(`${READ_ALL}; sleep 2; cat file-* >/dev/null; sleep 1`, cache, 8),
    );
    t.is(stdout, expected, stderr);
    t.true(bytesIn(cache) <= 8.8e6, `${bytesIn(cache)} bytes`);
  });
}

function options(cache: string): string[] {
  return ['-o', `CVMFS_CACHE_BASE=${cache}`, '-o', `CVMFS_SERVER_URL=${server.url}/@fqrn@`];
}
