// The talk socket of real jobs, asked from outside of their namespaces.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ResultPromise } from 'execa';
import type { MountStatus } from '../../src/talk/mount-status.ts';
import { pidHere } from '../../src/talk/outer-pid.ts';
import { SocketPlace } from '../../src/talk/socket-place.ts';
import { ask, liveServers } from '../../src/talk/talk-client.ts';
import { TestServer } from '../support/http-server.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation } from '../support/run-cvmfsexec.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'talk.example.org';
const install = new Installation();
let repository: TestRepository;
let server: TestServer;

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: FQRN,
    writeTree(directory) {
      writeFileSync(join(directory, 'one'), 'one\n');
      writeFileSync(join(directory, 'two words'), 'two\n');
      writeFileSync(join(directory, 'chunked'), pseudoRandom(200_000, 3));
    },
    xattrs: new Map(),
  });
  server = await TestServer.start({ root: repository.serverRoot });
});
test.after.always(async () => {
  await install.close();
  await server?.close();
  repository?.remove();
});

function start(cache: string, script = 'echo up; read x', more: Record<string, string> = {}) {
  return install.start({
    repositories: [FQRN],
    parameters: {
      SERVER_URL: `${server.url}/@fqrn@;http://127.0.0.1:1/@fqrn@`,
      KEYS_DIR: repository.clientKeys,
      CACHE_DIR: cache,
      CACHE_BASE: '',
      ...more,
    },
    command: ['sh', '-c', script],
  });
}

/** Resolves when `count` servers answer. */
async function listening(place: SocketPlace, count: number): Promise<string[]> {
  for (let i = 0; i < 500; i++) {
    const names = await liveServers(place);
    if (names.length === count) return names;
    await sleep(20);
  }
  throw new Error(`not ${count} servers: ${await liveServers(place)}`);
}

/** The status of the server that follows the one with this pid, which may take a while to die. */
async function successor(place: SocketPlace, killed: number): Promise<MountStatus> {
  for (let i = 0; i < 500; i++) {
    const answer = await ask(place, 'status json').catch(() => undefined);
    const status = answer && (JSON.parse(answer) as MountStatus);
    if (status && status.pid !== killed) return status;
    await sleep(20);
  }
  throw new Error(`no server follows ${killed}`);
}

async function end(job: ResultPromise<{ reject: false }>): Promise<void> {
  job.stdin?.end('\n');
  const { exitCode, stderr } = await job;
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stderr}`);
}

test.serial('a running job answers, and its socket is gone with it', async (t) => {
  const cache = install.newPath();
  const place = new SocketPlace(`${cache}/cvmfs_io.${FQRN}`);
  const job = start(cache, `cat "/cvmfs/${FQRN}/two words"; read x`);
  await listening(place, 1);
  const answers: Record<string, string | RegExp> = {
    mountpoint: `/cvmfs/${FQRN}`,
    revision: '1',
    'open catalogs': '-> ',
    'device id': /^0:\d+$/,
    'cache instance': `Posix cache manager (cache directory: ${cache})`,
    'host info': new RegExp(
      `^  \\[0\\] ${server.url}/${FQRN} \\(unprobed\\)\n  \\[1\\] .*\nActive host 0: ${server.url}/`,
    ),
    'proxy info': 'Load-balance groups:\n[0] DIRECT\nActive proxy: [0] DIRECT',
    'timeout set 7 8': 'OK',
    'timeout info': 'Timeout with proxy: 7s\nTimeout without proxy: 8s',
    'host set ;': 'Failed: there is no host in the list',
    'host switch': 'OK',
    'host probe': 'OK',
    'evict /two words': 'OK',
    'evict /none': 'No such regular file',
    'pin /two words': 'OK',
    'pin /chunked': 'OK',
    parameters: /^CVMFS_TIMEOUT=5 {4}# from @INTERNAL@$/m,
    'drop metadata caches': 'OK',
    'metrics prometheus': /^cvmfs_cache_physical_avail_bytes\{repo="talk\.example\.org"\} [1-9]\d*$/m,
    'internal affairs': /\nRaw Counters:\n[\s\S]*\ndownload\.n_requests\|\d+\|/,
    'something else': 'unknown command',
  };
  for (const [command, expected] of Object.entries(answers)) {
    const answer = (await ask(place, command)).replace(/\n$/, '');
    if (typeof expected === 'string') t.is(answer, expected, command);
    else t.regex(answer, expected, command);
  }
  t.regex(
    await ask(place, 'host info'),
    /\[0\] http:\/\/127\.0\.0\.1:\d+\/talk.example.org \(\d+ ms\)\n.*\(host down\)\n/,
  );
  const status = JSON.parse(await ask(place, 'status json'));
  t.like(status, { fqrn: FQRN, revision: 1, online: true, ioErrors: 0, catalogs: 1 });
  await end(job);
  t.deepEqual(await liveServers(place), []);
  t.deepEqual(
    readdirSync(cache).filter((name) => name.startsWith('cvmfs_io')),
    [],
  );
});

test.serial('how long requests take, where that is to be measured', async (t) => {
  const cache = install.newPath();
  const place = new SocketPlace(`${cache}/cvmfs_io.${FQRN}`);
  const job = start(cache, `read x; cat /cvmfs/${FQRN}/one; read x`, { INSTRUMENT_FUSE: 'yes' });
  await listening(place, 1);
  server.latency = 300;
  t.teardown(() => {
    server.latency = 0;
  });
  job.stdin?.write('\n');
  const reads = async () => /^"talk\.example\.org","read",1,"nanoseconds",(.*)$/m.exec(await ask(place, 'latency'));
  let row = await reads();
  for (let i = 0; i < 500 && !row; i++) {
    await sleep(20);
    row = await reads();
  }
  const quantiles = row?.[1].split(',').map(Number) ?? [];
  t.true(quantiles.length > 10 && quantiles.every((value) => value > 0.95 * 300e6 && value < 300e9), `${quantiles}`);
  t.regex(await ask(place, 'latency'), /^"talk\.example\.org","lookup",/m);
  await end(job);
});

test.serial('jobs that share a cache each have a socket; what kill -9 leaves is cleared away', async (t) => {
  const cache = install.newPath();
  const place = new SocketPlace(`${cache}/cvmfs_io.${FQRN}`);
  const jobs = [start(cache), start(cache), start(cache)];
  const names = await listening(place, 3);
  t.is(new Set(names).size, 3);
  t.is(await ask(place, 'revision'), '1\n');
  const [killed, ...others] = jobs;
  killed.kill('SIGKILL');
  await killed;
  await listening(place, 2);
  t.is(await ask(place, 'revision'), '1\n');
  for (const job of others) await end(job);
  await t.throwsAsync(ask(place, 'revision'), { code: 'NOT_RUNNING' });
});

test.serial('a configured place, and a command from inside the job', async (t) => {
  const path = install.newPath();
  const script = `until [ -S ${path} ]; do sleep 0.05; done; echo here`;
  const job = start(install.newPath(), script, { TALK_SOCKET: path });
  const { stdout, stderr } = await job;
  t.is(String(stdout), 'here\n', String(stderr));
});

test.serial('a server that is killed is followed by another one, which can be talked to', async (t) => {
  const cache = install.newPath();
  const place = new SocketPlace(`${cache}/cvmfs_io.${FQRN}`);
  const job = start(cache);
  await listening(place, 1);
  for (const command of ['max ttl set 9', 'timeout set 7 8', 'max ttl set 5']) t.is(await ask(place, command), 'OK\n');
  for (let kills = 0; kills < 2; kills++) {
    const { pid, pidNamespace } = JSON.parse(await ask(place, 'status json'));
    process.kill(pidHere(pid, pidNamespace)!, 'SIGKILL');
    t.is((await successor(place, pid)).revision, 1);
    t.is(await ask(place, 'max ttl info'), '5 minutes\n', 'what was set is kept');
    t.is(await ask(place, 'timeout info'), 'Timeout with proxy: 7s\nTimeout without proxy: 8s\n');
  }
  await end(job);
});

test.serial('remount takes a new revision at once', async (t) => {
  const cache = install.newPath();
  const place = new SocketPlace(`${cache}/cvmfs_io.${FQRN}`);
  const job = start(cache, `echo up; read x; cat /cvmfs/${FQRN}/new`);
  await listening(place, 1);
  t.is(await ask(place, 'remount sync'), 'Catalog up to date\n');
  writeFileSync(join(repository.tree, 'new'), 'new content\n');
  await repository.publish();
  t.is(await ask(place, 'remount'), 'New revision applied\n');
  t.is(await ask(place, 'remount sync'), 'Catalog up to date\n');
  t.is(await ask(place, 'revision'), '2\n');
  job.stdin?.end('\n');
  t.is(String((await job).stdout), 'up\nnew content\n');
});
