// Caches that are filled in advance, and jobs that run from them without any network.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { execa } from 'execa';
import { type Launch, ordinaryUser } from '../support/run-cvmfsexec.ts';
import { prepareSite } from '../support/site.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'preload.example.org';
const NO_NETWORK = ['unshare', '--user', '--map-current-user', '--net'];
const VERSIONS = ['1.0', '2.0', '3.0'];
const SMALL_FILES = 60;

const site = prepareSite(test, {
  fqrn: FQRN,
  writeTree(directory) {
    mkdirSync(join(directory, 'software'));
    writeFileSync(join(directory, 'software/.cvmfscatalog'), '');
    writeFileSync(join(directory, 'top'), 'top\n');
    for (const version of VERSIONS) {
      const base = join(directory, 'software', version);
      mkdirSync(join(base, 'bin'), { recursive: true });
      writeFileSync(join(base, '.cvmfscatalog'), '');
      writeFileSync(join(base, 'bin/tool'), `#!/bin/sh\necho tool of ${version}\n`, { mode: 0o755 });
      writeFileSync(join(base, 'bin/tool.debug'), `debug of ${version}\n`);
      writeFileSync(join(base, 'chunked'), pseudoRandom(200_000, Number(version)));
      for (let i = 0; i < SMALL_FILES; i++) writeFileSync(join(base, `data-${i}`), `${version} ${i}\n`.repeat(50));
    }
    symlinkSync('software/2.0', join(directory, 'current'));
    symlinkSync(`/cvmfs/${FQRN}/current/bin/tool`, join(directory, 'tool'));
  },
});
const { place } = site;

test.afterEach.always(() => site.server?.clearFaults());

const servers = () => [
  '-o',
  `CVMFS_SERVER_URL=${site.server.url}/@fqrn@`,
  '-o',
  `CVMFS_KEYS_DIR=${site.repository.clientKeys}`,
];
const more = ['-o', 'CVMFS_HTTP_PROXY=DIRECT', '-o', 'CVMFS_BACKOFF_INIT=0', '-o', 'CVMFS_BACKOFF_MAX=1'];

function preload(cache: string, ...words: string[]) {
  return place.runTool(['preload', ...servers(), ...more, '--to', cache, ...words]);
}

/** Runs a script in the mount, with neither network nor servers to ask. */
function offline(cache: string, script: string, launch: Partial<Launch> = {}) {
  return place.run({
    repositories: [FQRN],
    options: ['--offline'],
    wrapper: NO_NETWORK,
    command: ['sh', '-c', `cd /cvmfs/${FQRN} && { ${script}; }`],
    parameters: { KEYS_DIR: site.repository.clientKeys, ...cacheAt(cache) },
    ...launch,
  });
}

/** A cache that a preload filled, for a launch. */
const cacheAt = (directory: string) => ({ ALIEN_CACHE: directory });

const newCache = () => place.newPath();

const summaryOf = (line: string): Record<string, number> & { failures: { path: string; reason: string }[] } =>
  JSON.parse(line);

test.serial('what a pattern matches can be used without network, and the list of its directories', async (t) => {
  const cache = newCache();
  const filled = await preload(cache, '/software/1.*', FQRN);
  t.is(filled.exitCode, 0, filled.stderr);
  t.is(filled.stderr, '');
  t.regex(filled.stdout, /^preload\.example\.org: revision \d+ in \S+: \d+ objects \(\d\.\d MB\); fetched [^\n]+\n$/);
  const script =
    'software/1.0/bin/tool; ls; ls software; cat software/1.0/data-* | wc -c; sha256sum <software/1.0/chunked';
  const job = await offline(cache, script);
  t.is(job.stderr, '');
  t.regex(job.stdout, /^tool of 1\.0\ncurrent\nsoftware\ntool\ntop\n1\.0\n2\.0\n3\.0\n/);
  const other = await offline(cache, 'ls software/2.0');
  t.regex(other.stderr, /cannot read file catalog at \/software\/2\.0: it is not in the cache/);
  t.false(existsSync(join(cache, 'cachedb')));
});

test.serial('a dirtab has wildcards and exceptions, and may come from standard input', async (t) => {
  const cache = newCache();
  const dirtab = `# what the jobs need\n/software/*/bin\n! /software/3*\n! *.debug\n`;
  const words = ['preload', ...servers(), ...more, '--to', cache, '--dirtab', '-', '--json', FQRN];
  const filled = await place.runTool(words, { input: dirtab });
  t.is(filled.exitCode, 0, filled.stderr);
  const { objects, fetched, failed, catalogs } = summaryOf(filled.stdout);
  // Root, /software, and the two versions; two tools.
  t.deepEqual({ objects, fetched, failed, catalogs }, { objects: 6, fetched: 5, failed: 0, catalogs: 4 });
  const job = await offline(cache, 'software/1.0/bin/tool; software/2.0/bin/tool; cat software/1.0/bin/tool.debug');
  t.is(job.stdout, 'tool of 1.0\ntool of 2.0\n');
  t.regex(job.stderr, /cannot read \/software\/1\.0\/bin\/tool\.debug: it is not in the cache/);
});

test.serial('a recorded job runs again without network, and nothing else was loaded', async (t) => {
  const record = place.newPath();
  const script = './tool; tail -c 100 software/2.0/chunked | sha256sum; ls software/1.0 | wc -l; cat missing';
  const first = await place.run({
    repositories: [FQRN],
    options: ['--record', record],
    command: ['sh', '-c', `cd /cvmfs/${FQRN} && { ${script}; }`],
    parameters: { SERVER_URL: `${site.server.url}/@fqrn@`, KEYS_DIR: site.repository.clientKeys },
  });
  const cache = newCache();
  // The repository is named in the record.
  const filled = await preload(cache, '--run', record, '--json');
  t.is(filled.exitCode, 0, filled.stderr);
  t.true(summaryOf(filled.stdout).objects < 4 + 3 + 8);
  const second = await offline(cache, script);
  t.is(second.stdout, first.stdout);
  t.is(second.stderr, first.stderr);
  t.is(second.exitCode, first.exitCode);
});

test.serial('a whole repository: every file can be read without network', async (t) => {
  const cache = newCache();
  const filled = await preload(cache, '/', FQRN);
  t.is(filled.exitCode, 0, filled.stderr);
  const script = 'find . -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum; find . | wc -l';
  const job = await offline(cache, script);
  t.is(job.stderr, '');
  const files = site.repository.listing().filter(({ type }) => type === 'file');
  t.is(job.stdout.split('\n')[1], String(site.repository.listing().length));
  t.true(files.length > 3 * SMALL_FILES);
});

test.serial('what links lead to comes along with --follow-links, and else not', async (t) => {
  const without = newCache();
  const with_ = newCache();
  t.is((await preload(without, '/tool', FQRN)).exitCode, 0);
  t.regex((await offline(without, './tool')).stderr, /is not in the cache/);
  t.is((await preload(with_, '--follow-links', '/tool', FQRN)).exitCode, 0);
  const job = await offline(with_, './tool; cat software/2.0/data-1');
  t.is(job.stdout, 'tool of 2.0\n');
  t.regex(job.stderr, /cannot read \/software\/2\.0\/data-1/);
});

test.serial('a preload that was killed goes on where it was, and fetches nothing twice', async (t) => {
  const cache = newCache();
  // One object at a time, and slowly.
  site.server.fault(/\/data\/..\/[0-9a-f]{38}P?$/, { delay: 60 });
  const words = ['preload', ...servers(), ...more, '--to', cache, '--jobs', '1', '/software', FQRN];
  site.server.requests.length = 0;
  const killed = place.startTool(words);
  while (site.server.paths(/\/data\/..\/[0-9a-f]{38}P?$/).length < 12) await sleep(20);
  killed.kill('SIGKILL');
  await killed;
  t.is(readdirSync(cache).filter((name) => name.startsWith('cvmfschecksum')).length, 0, 'it is not complete');
  site.server.clearFaults();
  const stored = countObjects(cache);
  t.true(stored >= 5);
  site.server.requests.length = 0;
  const resumed = await preload(cache, '--json', '/software', FQRN);
  t.is(resumed.exitCode, 0, resumed.stderr);
  const { objects, fetched } = summaryOf(resumed.stdout);
  t.true(fetched <= objects - stored + 2, `${fetched} of ${objects}, ${stored} were there`);
  t.true(site.server.paths(/\/data\//).length <= objects - stored + 3);
  const job = await offline(cache, 'cat software/*/data-* software/*/chunked | wc -c');
  t.is(job.stderr, '');
  const again = summaryOf((await preload(cache, '--json', '/software', FQRN)).stdout);
  t.is(again.fetched, 0);
});

function countObjects(cache: string): number {
  const directories = readdirSync(cache).filter((name) => /^[0-9a-f]{2}$/.test(name));
  return directories.reduce((sum, name) => sum + readdirSync(join(cache, name)).length, 0);
}

test.serial('an interrupted preload says so, ends of its signal, and leaves no temporary file', async (t) => {
  const cache = newCache();
  site.server.fault(/\/data\/..\/[0-9a-f]{38}P?$/, { delay: 100 });
  site.server.requests.length = 0;
  const running = place.startTool(['preload', ...servers(), ...more, '--to', cache, '--jobs', '2', '/software', FQRN]);
  while (site.server.paths(/\/data\/..\/[0-9a-f]{38}P?$/).length < 6) await sleep(20);
  running.kill('SIGINT');
  const { signal, stderr } = await running;
  t.is(signal, 'SIGINT');
  t.regex(String(stderr), /interrupted: what was loaded stays/);
  t.deepEqual(readdirSync(join(cache, 'txn')), []);
});

test.serial('what a server delivers damaged is not loaded, and named; the rest is', async (t) => {
  const cache = newCache();
  site.server.requests.length = 0;
  await preload(cache, '/software/1.0', FQRN);
  const victim = site.server.paths(/\/data\/..\/[0-9a-f]{38}$/).at(-1) as string;
  const again = newCache();
  site.server.fault(new RegExp(`${victim}$`), { corrupt: 3 });
  const tampered = await preload(again, '--json', '/software/1.0', FQRN);
  t.is(tampered.exitCode, 1);
  const { failures, failed, objects, fetched } = summaryOf(tampered.stdout);
  t.is(failed, 1);
  t.is(fetched, objects - 2, 'all but that and the root catalog');
  t.regex(failures[0].path, /^\/software\/1\.0\//);
  t.regex(failures[0].reason, /another hash/);
  t.false(existsSync(join(again, victim.replace(/^.*\/data\//, ''))));
  t.false(existsSync(join(again, `cvmfschecksum.${FQRN}`)));
  site.server.clearFaults();
  const repaired = await preload(again, '--json', '/software/1.0', FQRN);
  t.is(repaired.exitCode, 0);
  t.is(summaryOf(repaired.stdout).fetched, 1);
  t.true(existsSync(join(again, `cvmfschecksum.${FQRN}`)));
});

test.serial('a server that is gone ends a preload soon, with its reason', async (t) => {
  const cache = newCache();
  site.server.fault(/\/data\/..\/[0-9a-f]{38}P?$/, { status: 503 });
  const { exitCode, stderr, duration } = await preload(cache, '/software', FQRN);
  t.is(exitCode, 125);
  t.regex(stderr, /given up after 50 failures in a row, the last: .*HTTP 503/);
  t.true(duration < 30_000);
});

test.serial('a path that matches nothing is named, and counts as not loaded', async (t) => {
  const { exitCode, stderr } = await preload(newCache(), '/software/9*', `/cvmfs/${FQRN}/top`, FQRN);
  t.is(exitCode, 1);
  t.is(stderr, `cvmfsexec: ${FQRN}: nothing matches /software/9*\n`);
});

test.serial('words that make no sense are refused', async (t) => {
  const cases: [string[], RegExp][] = [
    [[FQRN], /nothing of preload.example.org is wanted: give paths/],
    [['/top'], /no repository named/],
    [['--jobs', '0', '/top', FQRN], /number from 1 to 256/],
    [['--dirtab', '/none', FQRN], /cannot read \/none \(ENOENT\)/],
    [['/a\\b', FQRN], /'\/a\\b' is no pattern for paths/],
  ];
  for (const [words, message] of cases) {
    const { exitCode, stderr } = await preload(newCache(), ...words);
    t.is(exitCode, 125, words.join(' '));
    t.regex(stderr, message);
  }
});

test.serial('a job that uses the cache meanwhile is not disturbed, and nothing is fetched for both', async (t) => {
  const cache = newCache();
  const job = place.run({
    repositories: [FQRN],
    command: ['sh', '-c', `cd /cvmfs/${FQRN} && for i in 1 2 3; do cat software/*/data-* | sha256sum; done`],
    parameters: { SERVER_URL: `${site.server.url}/@fqrn@`, KEYS_DIR: site.repository.clientKeys, ...cacheAt(cache) },
  });
  const [filled, { stdout, stderr, exitCode }] = await Promise.all([preload(cache, '/', FQRN), job]);
  t.is(filled.exitCode, 0, filled.stderr);
  t.is(stderr, '');
  t.is(exitCode, 0);
  t.is(new Set(stdout.trimEnd().split('\n')).size, 1);
  const after = await offline(cache, 'cat software/*/data-* | sha256sum');
  t.is(after.stdout, `${stdout.split('\n')[0]}\n`);
});

test.serial('an archive of what was loaded is a cache wherever it is unpacked', async (t) => {
  const [cache, elsewhere, archive] = [newCache(), place.newPath(), `${place.newPath()}.tar`];
  const filled = await preload(cache, '--pack', archive, '--readable-by', 'world', '/software/1.0', FQRN);
  t.is(filled.exitCode, 0, filled.stderr);
  t.is(statSync(cache).mode & 0o777, 0o755);
  rmSync(cache, { recursive: true });
  const unpacked = `${elsewhere}/shared`;
  await execa('sh', ['-c', `umask 022; mkdir -p ${unpacked}; tar -xf ${archive} -C ${unpacked}`], {
    uid: ordinaryUser.uid,
  });
  const job = await offline(unpacked, 'software/1.0/bin/tool');
  t.is(job.stdout, 'tool of 1.0\n', job.stderr);
});

test.serial('a new revision is mounted without network once all of it is there, and not before', async (t) => {
  const cache = newCache();
  t.is((await preload(cache, '/', FQRN)).exitCode, 0);
  const read = 'cat top; sha256sum <software/1.0/chunked';
  const before = await offline(cache, read);
  writeFileSync(join(site.repository.tree, 'top'), 'new top\n');
  writeFileSync(join(site.repository.tree, 'software/1.0/chunked'), pseudoRandom(200_000, 9));
  await site.repository.publish();
  site.server.fault(/\/data\/..\/[0-9a-f]{38}P$/, { status: 503 });
  const failed = await preload(cache, '/', FQRN);
  t.is(failed.exitCode, 1);
  t.regex(failed.stderr, /could not be loaded; the same command tries them again/);
  const meanwhile = await offline(cache, read);
  t.is(meanwhile.stdout, before.stdout);
  t.is(meanwhile.stderr, '');
  // Also where the user's own cache knows the new one already.
  site.server.clearFaults();
  const own = { CACHE_BASE: place.newPath(), KEYS_DIR: site.repository.clientKeys };
  const online = { SERVER_URL: `${site.server.url}/@fqrn@`, ...own };
  const command = ['cat', `/cvmfs/${FQRN}/top`];
  t.is((await place.run({ repositories: [FQRN], command, parameters: online })).stdout, 'new top\n');
  const besides = await offline(cache, read, { parameters: { ...own, ...cacheAt(cache) } });
  t.is(besides.stdout, before.stdout, besides.stderr);
  const completed = await preload(cache, '--json', '/', FQRN);
  t.is(completed.exitCode, 0, completed.stderr);
  const after = await offline(cache, read);
  t.regex(after.stdout, /^new top\n/);
  t.not(after.stdout.split('\n')[1], before.stdout.split('\n')[1]);
  t.is(after.stderr, '');
});
