// Where preloaded caches are, who reads them, and what is in them: other users, other repositories, the reference's own.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { TestServer } from '../support/http-server.ts';
import { isRoot } from '../support/ordinary-user.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { type Identity, Installation, type Launch, ordinaryUser } from '../support/run-cvmfsexec.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'places.example.org';
const CONFIG = 'config.example.org';
const NO_NETWORK = ['unshare', '--user', '--map-current-user', '--net'];
const SHARED = join(import.meta.dirname, '../../../shared');
const COMPARE = join(SHARED, 'tools/compare-tree');
const FIXTURES = join(SHARED, 'fixtures');

const place = new Installation();
let repository: TestRepository;
let configuration: TestRepository;
let server: TestServer;
let keys: string;

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: FQRN,
    xattrs: new Map(),
    writeTree(directory) {
      for (const version of ['1.0', '2.0']) {
        mkdirSync(join(directory, version));
        writeFileSync(join(directory, version, 'file'), `version ${version}\n`);
      }
      symlinkSync('$(PLACES_VERSION)/file', join(directory, 'variant'));
      writeFileSync(join(directory, 'large'), pseudoRandom(3_000_000, 1));
    },
  });
  configuration = await makeTestRepository({
    fqrn: CONFIG,
    xattrs: new Map(),
    writeTree(directory) {
      mkdirSync(join(directory, 'etc/cvmfs/config.d'), { recursive: true });
      writeFileSync(join(directory, `etc/cvmfs/config.d/${FQRN}.conf`), 'PLACES_VERSION=2.0\n');
      writeFileSync(join(directory, 'other'), 'other\n');
    },
  });
  symlinkSync(configuration.directory, join(repository.serverRoot, CONFIG));
  keys = join(place.directory, 'keys');
  mkdirSync(keys);
  for (const { publicKey } of [repository, configuration]) spawnSync('cp', [publicKey, keys]);
  server = await TestServer.start({ root: repository.serverRoot });
});

test.after.always(async () => {
  await server?.close();
  await place.close();
  repository?.remove();
  configuration?.remove();
});

const settings = () => ['-o', `CVMFS_SERVER_URL=${server.url}/@fqrn@`, '-o', `CVMFS_KEYS_DIR=${keys}`];
const direct = ['-o', 'CVMFS_HTTP_PROXY=DIRECT'];

function preload(cache: string, ...words: string[]) {
  return place.runTool(['preload', ...settings(), ...direct, '--to', cache, ...words]);
}

function offline(cache: string, script: string, parameters = {}, launch: Partial<Launch> = {}) {
  return place.run({
    repositories: [FQRN],
    options: ['--offline'],
    wrapper: NO_NETWORK,
    command: ['sh', '-c', `cd /cvmfs/${FQRN} && { ${script}; }`],
    parameters: { KEYS_DIR: keys, ALIEN_CACHE: cache, ...parameters },
    ...launch,
  });
}

test.serial('the configuration repository comes along, and is read without network', async (t) => {
  const cache = place.newPath();
  const chosen = ['-o', `CVMFS_CONFIG_REPOSITORY=${CONFIG}`];
  const filled = await preload(cache, ...chosen, '/2.0', FQRN);
  t.is(filled.exitCode, 0, filled.stderr);
  t.regex(filled.stdout, /^places\.example\.org: [^\n]+\nconfig\.example\.org: [^\n]+\n$/);
  const job = await offline(cache, 'cat variant', { CONFIG_REPOSITORY: CONFIG });
  t.is(job.stderr, '');
  t.is(job.stdout, 'version 2.0\n');
});

/** Somebody who is neither root nor the ordinary user, nor of its groups. */
const STRANGER_ID = 54_321;
const stranger: Identity = {
  name: 'ordinary user',
  uid: STRANGER_ID,
  gid: STRANGER_ID,
  prefix: ['setpriv', `--reuid=${STRANGER_ID}`, `--regid=${STRANGER_ID}`, '--clear-groups'],
};

test.serial('another user reads a cache that was opened to the world, and nobody else writes to it', async (t) => {
  const cache = place.newPath();
  const filled = await preload(cache, '--readable-by', 'world', '/1.0', FQRN);
  t.is(filled.exitCode, 0, filled.stderr);
  const files = readdirSync(cache, { recursive: true, withFileTypes: true });
  for (const entry of files) {
    const path = join(entry.parentPath, entry.name);
    const mode = statSync(path).mode & 0o777;
    const expected = entry.isDirectory() ? 0o755 : 0o644;
    t.is(mode & 0o705, expected & 0o705, path);
    t.is(mode & 0o002, 0, path);
  }
  if (!isRoot) return;
  const job = await offline(cache, 'cat 1.0/file', {}, { as: stranger });
  t.is(job.stdout, 'version 1.0\n', job.stderr);
  t.is(job.stderr, '');
});

test.serial('a cache that is for its group only is not read by others', async (t) => {
  const cache = place.newPath();
  await preload(cache, '--readable-by', 'group', '/1.0', FQRN);
  t.is(statSync(cache).mode & 0o007, 0);
  if (!isRoot) return;
  const job = await offline(cache, 'cat 1.0/file', {}, { as: stranger });
  t.is(job.exitCode, 125);
});

test.serial('what does not fit on the disk is not begun', async (t) => {
  const cache = place.newPath();
  mkdirSync(cache);
  chmodSync(cache, 0o777);
  const onSmallDisk = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'];
  const mount = `mount -t tmpfs -o size=2m,mode=755 none ${cache} && "$@"; status=$?; ls ${cache} >&2; exit $status`;
  const { exitCode, stderr } = await place.runTool(['preload', ...settings(), ...direct, '--to', cache, '/', FQRN], {
    wrapper: [...onSmallDisk, mount, 'sh'],
  });
  t.is(exitCode, 125);
  t.regex(
    stderr,
    /^cvmfsexec: 3\.\d MB are missing in \S+, which has room for \d\.\d MB: free space, or choose less$/m,
  );
  t.notRegex(stderr, /cvmfschecksum/);
});

test.serial("more than the user's own cache may have is refused", async (t) => {
  const base = place.newPath();
  const own = ['-o', `CVMFS_CACHE_BASE=${base}`, '-o', 'CVMFS_QUOTA_LIMIT=1'];
  const { exitCode, stderr } = await place.runTool(['preload', ...settings(), ...direct, ...own, '/', FQRN]);
  t.is(exitCode, 125);
  t.regex(stderr, /3\.\d MB are wanted in \S+, which may have 1\.0 MB: raise CVMFS_QUOTA_LIMIT, or give a directory/);
});

test.serial("the user's own cache is filled without --to, and --offline alone uses it", async (t) => {
  const base = place.newPath();
  const own = ['-o', `CVMFS_CACHE_BASE=${base}`];
  const filled = await place.runTool(['preload', ...settings(), ...direct, ...own, `/cvmfs/${FQRN}/1.0`, FQRN]);
  t.is(filled.exitCode, 0, filled.stderr);
  const parameters = { KEYS_DIR: keys, CACHE_BASE: base };
  t.is((await offline('', 'cat 1.0/file', {}, { parameters })).stdout, 'version 1.0\n');
});

test.serial('on a terminal there is a bar that is gone in the end', async (t) => {
  const cache = place.newPath();
  server.fault(/\/data\//, { delay: 25 });
  t.teardown(() => server.clearFaults());
  const words = [place.program, 'preload', ...settings(), ...direct, '--to', cache, '--jobs', '1', '/', FQRN];
  const script = words.map((word) => `'${word}'`).join(' ');
  const { stdout } = await place.runTool([], {
    wrapper: ['sh', '-c', 'exec script -qec "$1" /dev/null', 'sh', script],
  });
  t.regex(stdout, /\[#*-*\] \d+ % \d+ of \d+ objects, \d\.\d MB of \d\.\d MB/);
  t.true(stdout.includes('\r\x1b[Kplaces.example.org: revision'), stdout);
});

test.serial('a tag is loaded, and mounted by the hash that is printed', async (t) => {
  const cache = place.newPath();
  await repository.publish({ tag: { name: 'first' } });
  const filled = await preload(cache, '-o', 'CVMFS_REPOSITORY_TAG=first', '/1.0', FQRN);
  t.is(filled.exitCode, 0, filled.stderr);
  const [, hash] = /-o CVMFS_ROOT_HASH=(\S+)$/m.exec(filled.stdout) ?? [];
  const job = await offline(cache, 'cat 1.0/file', { ROOT_HASH: hash });
  t.is(job.stdout, 'version 1.0\n', job.stderr);
});

const present = existsSync(COMPARE) && existsSync(join(FIXTURES, 'small.example.org.tar.gz'));

for (const fqrn of ['small.example.org', 'hash.example.org', 'ext.example.org']) {
  test.serial(`all of ${fqrn} of the reference is the same without network`, async (t) => {
    if (!present) return void t.pass('no fixtures in ../shared');
    const served = join(place.directory, 'served');
    for (const [archive, directory] of [
      [`${fqrn}.tar.gz`, 'cvmfs'],
      ['ext.example.org.external-data.tar.gz', 'external'],
    ]) {
      mkdirSync(join(served, directory), { recursive: true });
      spawnSync('tar', ['-xzf', join(FIXTURES, archive), '-C', join(served, directory)]);
    }
    const fixtures = await TestServer.start({ root: served });
    t.teardown(() => fixtures.close());
    const cache = place.newPath();
    const servers = [`SERVER_URL=${fixtures.url}/cvmfs/@fqrn@`, `EXTERNAL_URL=${fixtures.url}/external/@fqrn@`];
    const words = [...servers, `KEYS_DIR=${join(FIXTURES, 'keys')}`].flatMap((setting) => ['-o', `CVMFS_${setting}`]);
    const filled = await place.runTool(['preload', ...words, ...direct, '--to', cache, '/', fqrn], { limit: 120 });
    t.is(filled.exitCode, 0, filled.stderr);
    const { uid, gid } = ordinaryUser;
    const compare = [
      COMPARE,
      `/cvmfs/${fqrn}`,
      join(FIXTURES, `${fqrn}.manifest.jsonl`),
      '--claim-owner',
      `${uid}:${gid}`,
    ];
    const job = await offline(
      cache,
      '',
      {},
      {
        repositories: [fqrn],
        command: compare,
        parameters: { KEYS_DIR: join(FIXTURES, 'keys'), ALIEN_CACHE: cache, CLAIM_OWNERSHIP: 'yes' },
        limit: 120,
      },
    );
    t.regex(job.stdout, /^[1-9]\d* entries, 0 differences\n$/, job.stderr);
    t.is(job.stderr, '');
  });
}
