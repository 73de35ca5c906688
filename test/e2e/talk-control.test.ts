// Talk commands that change something, sent to a job: what they do is looked for in the job and in its cache.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { pidHere } from '../../src/talk/outer-pid.ts';
import { SocketPlace } from '../../src/talk/socket-place.ts';
import { ask, liveServers } from '../../src/talk/talk-client.ts';
import { JobShell } from '../support/job-shell.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation } from '../support/run-cvmfsexec.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'control.example.org';
const CHUNKED = 200_000;
const place = new Installation();
let repository: TestRepository;

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: FQRN,
    writeTree(directory) {
      writeFileSync(join(directory, 'one'), 'one\n');
      writeFileSync(join(directory, 'chunked'), pseudoRandom(CHUNKED, 3));
      mkdirSync(join(directory, 'nested/below'), { recursive: true });
      writeFileSync(join(directory, 'nested/.cvmfscatalog'), '');
      writeFileSync(join(directory, 'nested/below/.cvmfscatalog'), '');
      writeFileSync(join(directory, 'nested/below/file'), 'nested\n');
    },
    xattrs: new Map(),
  });
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

interface Job {
  readonly shell: JobShell;
  readonly cache: string;
  readonly socket: SocketPlace;
  /** Sends a command; gives the answer without its last newline. */
  readonly talk: (command: string) => Promise<string>;
}

async function start(t: ExecutionContext, more: Record<string, string> = {}): Promise<Job> {
  const cache = place.newPath();
  const shell = new JobShell(place, {
    repositories: [FQRN],
    parameters: {
      SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
      KEYS_DIR: repository.clientKeys,
      CACHE_DIR: cache,
      CACHE_BASE: '',
      ...more,
    },
  });
  t.teardown(() => shell.end());
  await shell.run(`cd /cvmfs/${FQRN}`);
  const socket = new SocketPlace(`${cache}/cvmfs_io.${FQRN}`);
  await listening(socket);
  return { shell, cache, socket, talk: async (command) => (await ask(socket, command)).replace(/\n$/, '') };
}

async function listening(socket: SocketPlace): Promise<void> {
  for (let i = 0; (await liveServers(socket)).length !== 1; i++) {
    if (i === 500) throw new Error('nobody answers');
    await sleep(20);
  }
}

/** Megabytes and bytes that `cache size` tells of. */
async function used({ talk }: Job): Promise<{ bytes: number; pinned: number }> {
  const answer = await talk('cache size');
  const match = /^Current cache size is (\d+)MB \((\d+) Bytes\), pinned: (\d+)MB \((\d+) Bytes\)$/.exec(answer);
  if (!match) throw new Error(answer);
  return { bytes: Number(match[2]), pinned: Number(match[4]) };
}

async function until(condition: () => Promise<boolean>): Promise<boolean> {
  for (let i = 0; i < 250; i++) {
    if (await condition()) return true;
    await sleep(20);
  }
  return false;
}

test('the cache: its list and size follow what is read, evicted, pinned and cleaned up', async (t) => {
  const job = await start(t, { QUOTA_LIMIT: '2000' });
  const { shell, cache, talk } = job;
  await shell.run('cat one chunked >/dev/null');
  const list = async (command = 'cache list') => (await talk(command)).split('\n').filter(Boolean);
  const files = async () => (await list()).filter((line) => !/catalog|certificate|metainfo/.test(line));
  const chunks = (await files()).filter((line) => line.includes('/chunked'));
  t.true(chunks.length > 1, String(chunks));
  t.is((await files()).filter((line) => line === '/one').length, 1);
  const catalogs = await list('cache list catalogs');
  t.is(catalogs.length, 1, String(catalogs));
  t.true(await until(async () => (await used(job)).bytes > CHUNKED));

  const hash = /[0-9a-f]{40}/.exec(await shell.output('getfattr --only-values -n user.hash one'))![0];
  const object = join(cache, hash.slice(0, 2), hash.slice(2));
  t.true(existsSync(object));
  t.is(await talk('evict /one'), 'OK');
  t.false(existsSync(object));
  t.false((await files()).includes('/one'));
  t.is(await talk('evict /nested'), 'No such regular file');
  t.is(await talk('evict'), 'Usage: evict <path>');

  t.deepEqual(await list('cache list pinned'), []);
  t.is(await talk('pin /one'), 'OK');
  t.true(existsSync(object), 'it is fetched');
  t.deepEqual(await list('cache list pinned'), ['/one']);
  t.is(await talk('pin /none'), 'No such regular file or pinning failed');

  t.is(await talk('cleanup 0'), 'Not fully cleaned (there might be pinned chunks)');
  t.deepEqual(await files(), ['/one'], 'what is pinned stays');
  t.true((await used(job)).bytes < CHUNKED);
  t.is(await talk('cleanup 1'), 'OK');
  t.regex(await talk('cleanup rate 60'), /^[1-9]\d*$/);
  t.is(await talk('cleanup'), 'Usage: cleanup <MB>');
  t.is(await shell.output('cat one; wc -c <chunked'), `one\n${CHUNKED}`);

  t.is(await talk('cache limit get'), '2000');
  t.is(await talk('cache limit set 1500'), 'OK');
  t.is(await talk('cache limit get'), '1500');
  t.is(await talk('cache limit set 999'), 'New limit too low (minimum 1000)');
});

test('a cache that keeps no accounts has the original’s answers for that', async (t) => {
  const { talk } = await start(t, { QUOTA_LIMIT: '-1', ALIEN_CACHE: place.newPath() });
  t.is(await talk('cache size'), 'Cache cannot report its size');
  t.is(await talk('cache list'), 'Cache cannot list its entries');
  t.is(await talk('cleanup 0'), 'Cache cannot trigger eviction');
  t.is(await talk('cleanup rate 5'), 'Unsupported by this cache');
  t.is(await talk('cache limit set 2000'), 'Limit not reset');
  t.is(await talk('pin /one'), 'OK');
  t.is(await talk('evict /one'), 'OK');
});

test('detached catalogs are closed, and opened again under programs that use what is in them', async (t) => {
  const { shell, talk } = await start(t);
  await shell.run('exec 4<nested/below/file; cd nested/below');
  const before = await shell.output('stat -c %i . file ..');
  t.is(await talk('open catalogs'), '-> \n    -> /nested\n        -> /nested/below');
  t.is(await talk('detach nested catalogs'), 'OK');
  t.is(await talk('open catalogs'), '-> ');
  t.is(
    await shell.output('cat <&4; pwd; getfattr --only-values -n user.revision file'),
    `nested\n/cvmfs/${FQRN}/nested/below\n1`,
  );
  t.is(await shell.output('stat -c %i . file ..'), before);
  t.regex(await talk('open catalogs'), /-> \/nested\/below$/);
});

test('max ttl: told, changed, and counted from then on', async (t) => {
  const { shell, talk, socket } = await start(t, { MAX_TTL: '3' });
  t.is(await talk('max ttl info'), '3 minutes');
  const expires = async () => JSON.parse(await ask(socket, 'status json')).expiresMinutes;
  t.true((await expires()) <= 3);
  t.is(await talk('max ttl set 1'), 'OK');
  t.is(await talk('max ttl info'), '1 minutes');
  t.true((await expires()) <= 1);
  t.is(await talk('max ttl set 0'), 'OK');
  t.is(await talk('max ttl info'), 'unset');
  t.true((await expires()) >= 3, 'the repository says four minutes');
  t.is(await talk('max ttl set soon'), 'Usage: max ttl set <minutes>');
  t.is(await shell.output('cat one'), 'one');
});

test('chroot shows another revision, also when the server is killed, until the next look for updates', async (t) => {
  const other = await makeTestRepository({
    fqrn: FQRN,
    writeTree: (directory) => writeFileSync(join(directory, 'one'), 'one\n'),
    xattrs: new Map(),
  });
  t.teardown(() => other.remove());
  const { shell, talk, socket } = await start(t, {
    SERVER_URL: `file://${other.serverRoot}/@fqrn@`,
    KEYS_DIR: other.clientKeys,
  });
  const status = async () => JSON.parse(await ask(socket, 'status json'));
  const { rootHash: first } = await status();
  writeFileSync(join(other.tree, 'one'), 'another\n');
  writeFileSync(join(other.tree, 'two'), 'two\n');
  await other.publish();
  t.is(await talk('remount sync'), 'Catalog up to date');
  t.is(await shell.output('exec 4<one; cat one two'), 'another\ntwo');
  t.is(await talk(`chroot ${'0123456789'.repeat(4)}`), 'Failed');
  t.is(await talk('chroot nothing'), 'Failed');
  t.is(await talk('chroot'), 'Usage: chroot <hash>');
  t.is(await talk('revision'), '2');
  t.is(await talk(`chroot ${first}`), 'OK');
  t.is(await talk('revision'), '1');
  t.is(await shell.output('ls; cat one; cat <&4'), 'one\none\nanother');
  const { pid, pidNamespace } = await status();
  process.kill(pidHere(pid, pidNamespace)!, 'SIGKILL');
  await sleep(50);
  t.is(await shell.output('ls; cat one'), 'one\none');
  await listening(socket);
  t.is(await talk('revision'), '1');
  t.is(await talk('remount'), 'New revision applied');
  t.is(await shell.output('cat one two'), 'another\ntwo');
});
