// Jobs without any network: they run in a network namespace of their own in which not even the loopback device is up.
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parseRecordEntry, type RecordEntry } from '../../src/preload/record.ts';
import type { Launch } from '../support/run-cvmfsexec.ts';
import { prepareSite } from '../support/site.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'offline.example.org';
const NO_NETWORK = ['unshare', '--user', '--map-current-user', '--net'];
const CHUNKED = pseudoRandom(300_000, 7);

const site = prepareSite(test, {
  fqrn: FQRN,
  writeTree(directory) {
    mkdirSync(join(directory, 'software/1.0/bin'), { recursive: true });
    mkdirSync(join(directory, 'software/2.0'));
    for (const path of ['software', 'software/1.0', 'software/2.0']) {
      writeFileSync(join(directory, path, '.cvmfscatalog'), '');
    }
    writeFileSync(join(directory, 'software/1.0/bin/tool'), '#!/bin/sh\necho tool of 1.0\n', { mode: 0o755 });
    writeFileSync(join(directory, 'software/1.0/chunked'), CHUNKED);
    writeFileSync(join(directory, 'software/2.0/other'), 'other\n');
    writeFileSync(join(directory, 'unread'), 'unread\n');
  },
});
const { place } = site;

function launch(script: string, cache: string, more: Partial<Launch> = {}): Launch {
  return {
    repositories: [FQRN],
    command: ['sh', '-c', `cd /cvmfs/${FQRN} && { ${script}; }`],
    parameters: { SERVER_URL: `${site.server.url}/@fqrn@`, KEYS_DIR: site.repository.clientKeys, CACHE_BASE: cache },
    ...more,
  };
}

const offline = (script: string, cache: string, more: Partial<Launch> = {}) =>
  place.run(launch(script, cache, { options: ['--offline'], wrapper: NO_NETWORK, ...more }));

function recorded(file: string): RecordEntry[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => parseRecordEntry(line) ?? { ...({} as RecordEntry), path: `cannot be read: ${line}` });
}

const JOB = 'software/1.0/bin/tool; ls -R software/1.0 | sort; tail -c 1000 software/1.0/chunked | sha256sum';

test.serial('a job runs without network from what an earlier one left in the cache', async (t) => {
  const cache = place.newPath();
  const first = await place.run(launch(JOB, cache));
  t.regex(first.stdout, /^tool of 1\.0\n/);
  t.is(first.stderr, '');
  const second = await offline(JOB, cache);
  t.is(second.stdout, first.stdout);
  t.is(second.stderr, '');
  t.is(second.exitCode, 0);
});

test.serial('--offline asks no server for anything, also when one could be reached', async (t) => {
  const cache = place.newPath();
  await place.run(launch('cat unread', cache));
  const before = site.server.connections;
  const { stdout, stderr } = await place.run(launch('cat unread', cache, { options: ['--offline'] }));
  t.is(stdout, 'unread\n');
  t.is(stderr, '');
  t.is(site.server.connections, before);
});

test.serial('what is not in the cache is EIO at once without network, with one line that names it', async (t) => {
  const cache = place.newPath();
  await place.run(launch('cat unread', cache));
  const script = 'cat software/2.0/other; cat unread; cat software/2.0/other; echo "status $?"';
  const started = performance.now();
  const missing = await offline(script, cache);
  t.is(missing.stdout, 'unread\nstatus 1\n');
  const lines = missing.stderr.split('\n').filter((line) => line.startsWith('cvmfsexec: '));
  t.deepEqual(lines, [
    `cvmfsexec: ${FQRN}: cannot read file catalog at /software: it is not in the cache, and this is --offline`,
  ]);
  t.regex(missing.stderr, /cat: software\/2\.0\/other: Input\/output error/);
  t.true(performance.now() - started < 20_000);
});

test.serial('a file whose catalog is there, but not its content, is named by its path', async (t) => {
  const cache = place.newPath();
  await place.run(launch('ls software/2.0', cache));
  const { stdout, stderr } = await offline('ls software/2.0; cat software/2.0/other', cache);
  t.is(stdout, 'other\n');
  t.regex(stderr, /^cvmfsexec: offline\.example\.org: cannot read \/software\/2\.0\/other: it is not in the cache/m);
});

test.serial('without a revision in the cache --offline does not start, and says what to do', async (t) => {
  const { exitCode, stderr } = await offline('true', place.newPath());
  t.is(exitCode, 125);
  t.regex(stderr, /^cvmfsexec: cannot mount offline.example.org: the cache \S+ holds no revision of [^\n]*preload'\n$/);
});

test.serial('a tag cannot be looked up without network, a root hash can be mounted', async (t) => {
  const cache = place.newPath();
  const root = await place.run(launch(`cat unread >/dev/null; getfattr --only-values -n user.root_hash .`, cache));
  const parameters = { KEYS_DIR: site.repository.clientKeys, CACHE_BASE: cache };
  const tagged = await offline('true', cache, { parameters: { ...parameters, REPOSITORY_TAG: 'trunk' } });
  t.is(tagged.exitCode, 125);
  t.regex(tagged.stderr, /CVMFS_ROOT_HASH/);
  const fixed = await offline('cat unread', cache, { parameters: { ...parameters, ROOT_HASH: root.stdout } });
  t.is(fixed.stdout, 'unread\n', fixed.stderr);
});

test.serial('--record writes each thing that a job used once, and nothing else', async (t) => {
  const file = join(place.scratch, 'record.jsonl');
  const { exitCode, stderr } = await place.run(
    launch(`${JOB}; ${JOB}; cat missing`, place.newPath(), { options: ['--record', 'record.jsonl'] }),
  );
  t.is(exitCode, 1);
  t.regex(stderr, /^cat: missing: No such file or directory\n$/);
  const entries = recorded(file);
  t.true(entries.every(({ repository }) => repository === FQRN));
  const paths = (type: string) => entries.filter((entry) => entry.type === type).map(({ path }) => path);
  t.deepEqual(paths('catalog').sort(), ['', '/software', '/software/1.0']);
  t.deepEqual(paths('directory').sort(), ['', '/software', '/software/1.0', '/software/1.0/bin']);
  const files = entries.filter((entry) => entry.type === 'file');
  t.deepEqual([...new Set(files.map(({ path }) => path))].sort(), ['/software/1.0/bin/tool', '/software/1.0/chunked']);
  // Of the large file the end was read, and the kernel does not read all of it for that.
  const pieces = files.filter(({ path }) => path.endsWith('chunked'));
  t.true(pieces.some(({ offset = 0, size = 0 }) => offset + size === CHUNKED.length));
  t.true(pieces.every(({ offset }) => offset !== undefined && offset > 0));
  t.is(new Set(pieces.map(({ hash }) => hash)).size, pieces.length);
  t.is(new Set(entries.map((entry) => JSON.stringify(entry))).size, entries.length);
});

test.serial('the record is complete when the job is killed, and a second run adds to it', async (t) => {
  const file = place.newPath();
  const cache = place.newPath();
  const options = ['--record', file];
  const job = place.start(launch('cat unread; sleep 60', cache, { options }));
  t.teardown(() => job.kill('SIGKILL'));
  await once(job.stdout, 'data');
  job.kill('SIGKILL');
  await job;
  t.true(recorded(file).some(({ type, path }) => type === 'file' && path === '/unread'));
  writeFileSync(file, '{"type":"file","repo', { flag: 'a' }); // as a full disk leaves it
  await place.run(launch('cat software/2.0/other', cache, { options }));
  const entries = recorded(file);
  t.true(entries.some(({ path }) => path === '/unread'));
  t.true(entries.some(({ type, path }) => type === 'file' && path === '/software/2.0/other'));
  t.is(entries.filter(({ path }) => path.startsWith('cannot be read')).length, 1);
});

/** Ends the server from inside of the job, which sees no processes but its own. The brackets keep it from ending itself. */
const KILL_SERVER = 'grep -q init.sh /proc/1/cmdline && kill -9 $(pgrep -f "start[.]cjs server"); sleep 1';

test.serial('the record goes on when the server is killed and another one takes over', async (t) => {
  const file = place.newPath();
  const options = ['--record', file];
  const script = `cat unread; ${KILL_SERVER}; cat software/2.0/other`;
  const { stdout, stderr } = await place.run(launch(script, place.newPath(), { options }));
  t.is(stdout, 'unread\nother\n');
  t.regex(stderr, /a new one takes over/);
  const files = recorded(file).filter(({ type }) => type === 'file');
  t.deepEqual(files.map(({ path }) => path).sort(), ['/software/2.0/other', '/unread']);
});

test.serial('without network, too, a killed server is followed by another', async (t) => {
  const cache = place.newPath();
  await place.run(launch('cat unread software/2.0/other', cache));
  const { stdout, stderr } = await offline(`cat unread; ${KILL_SERVER}; cat software/2.0/other`, cache);
  t.is(stdout, 'unread\nother\n');
  t.regex(stderr, /^cvmfsexec: [^\n]*a new one takes over\n$/);
});

test.serial('a record that cannot be written is refused before the job starts', async (t) => {
  const options = ['--record', '/proc/none/record'];
  const { exitCode, stdout, stderr } = await place.run(launch('echo ran', place.newPath(), { options }));
  t.is(exitCode, 125);
  t.is(stdout, '');
  t.regex(stderr, /^cvmfsexec: cannot write the record \/proc\/none\/record \(ENOENT\)[^\n]*\n$/);
});
