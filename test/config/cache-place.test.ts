import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cachePlace } from '../../src/config/cache-place.ts';
import { type Given, load, makeDirectory, writeFiles } from './configuration.ts';

const IS_ROOT = process.getuid?.() === 0;
/** Root is allowed everything: what concerns permissions is tried as this user then. Nobody has to know it. */
const USER = IS_ROOT ? 54_321 : process.getuid!();
const STRANGER = 54_322;

const NO_PLACES = { shared: [], scratch: [], homes: [] };

interface Outcome {
  readonly directory?: string;
  readonly warning?: string;
  readonly code?: string;
  readonly message?: string;
}

interface Attempt {
  /** Several are joined by colons. */
  readonly parents: string;
  readonly options?: readonly string[];
  /** Of the system. */
  readonly files?: Record<string, string>;
}

/** Finds the place in a process of the ordinary user; its directories are removed when the test is over. */
function asUser(t: ExecutionContext, { parents, options = [], files = {} }: Attempt): Outcome {
  const system = makeDirectory(t);
  chmodSync(system, 0o755);
  writeFiles(system, files);
  const program = join(import.meta.dirname, 'cache-place-program.ts');
  const words = [process.execPath, program, `${USER}`, system, parents, ...options];
  if (IS_ROOT) words.unshift('setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups');
  const { stdout, stderr } = spawnSync(words[0], words.slice(1), { encoding: 'utf8', timeout: 30_000 });
  t.is(stderr, '');
  return JSON.parse(stdout) as Outcome;
}

function skip(t: ExecutionContext, reason: string): void {
  t.log(`skipped: ${reason}`);
  t.pass();
}

/** A place like /var/tmp. */
function sharedPlace(t: ExecutionContext): string {
  const place = makeDirectory(t);
  chmodSync(place, 0o1777);
  return place;
}

/** Below CVMFS_CACHE_BASE or CVMFS_CACHE_DIR, or `private`, or the code of the error. */
function chosen(t: ExecutionContext, given: Given): string {
  const base = makeDirectory(t);
  const options = (given.options ?? []).map((option) => option.replace('=', `=${base}/`));
  const environment = Object.fromEntries(
    Object.entries(given.environment ?? {}).map(([name, value]) => [name, value && `${base}/${value}`]),
  );
  const files = Object.fromEntries(
    Object.entries(given.files ?? {}).map(([name, text]) => [name, text.replaceAll('=', `=${base}/`)]),
  );
  try {
    const place = cachePlace(load(t, { ...given, options, environment, files }), 7, { ...NO_PLACES, shared: [base] });
    return place.directory.replace(`${base}/`, '').replace('cvmfs-7/shared', 'private');
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const DIRECTORY = 'CVMFS_CACHE_DIR=directory';
const BASE = 'CVMFS_CACHE_BASE=base';

test('of CVMFS_CACHE_DIR and CVMFS_CACHE_BASE the one from the later source counts', (t) => {
  const file = (text: string) => ({ 'default.local': `${text}\n` });
  t.is(chosen(t, {}), 'private');
  t.is(chosen(t, { files: file(DIRECTORY) }), 'directory');
  t.is(chosen(t, { files: file(BASE) }), 'base/shared');
  t.is(chosen(t, { files: file(DIRECTORY), options: [BASE] }), 'base/shared');
  t.is(chosen(t, { files: file(BASE), options: [DIRECTORY] }), 'directory');
  t.is(chosen(t, { files: file(BASE), environment: { CVMFS_CACHE_DIR: 'directory' } }), 'directory');
  t.is(chosen(t, { environment: { CVMFS_CACHE_DIR: 'directory' }, options: [BASE] }), 'base/shared');
});

test('both from the same source exclude each other', (t) => {
  t.is(
    chosen(t, { files: { 'default.local': `${BASE}\n`, 'config.d/atlas.cern.ch.conf': `${DIRECTORY}\n` } }),
    'CONFLICT',
  );
  t.is(chosen(t, { options: [BASE, DIRECTORY] }), 'CONFLICT');
  t.is(chosen(t, { environment: { CVMFS_CACHE_DIR: 'a', CVMFS_CACHE_BASE: 'b' } }), 'CONFLICT');
  const emptied = cachePlace(
    load(t, { options: ['CVMFS_CACHE_DIR=', `CVMFS_CACHE_BASE=${makeDirectory(t)}`] }),
    7,
    NO_PLACES,
  );
  t.regex(emptied.directory, /\/shared$/, 'an empty one is none');
});

test('the CVMFS_CACHE_BASE of a default.conf as shipped does not exclude a CVMFS_CACHE_DIR', (t) => {
  const directory = join(makeDirectory(t), 'cache');
  const files = {
    'default.conf': 'CVMFS_CACHE_BASE=/var/lib/cvmfs\n',
    'default.local': `CVMFS_CACHE_DIR=${directory}\n`,
  };
  t.deepEqual(cachePlace(load(t, { files }), 7, NO_PLACES), { directory });
});

test('without CVMFS_SHARED_CACHE each repository has its own directory', (t) => {
  const base = makeDirectory(t);
  const options = [`CVMFS_CACHE_BASE=${base}/new/base`, 'CVMFS_SHARED_CACHE=no'];
  t.deepEqual(cachePlace(load(t, { options }), 7, NO_PLACES), { directory: `${base}/new/base/atlas.cern.ch` });
  t.is(statSync(`${base}/new`).mode & 0o777, 0o700, 'what is made is private');
});

test('the private directory is made once, for its user only, below the first fit place', (t) => {
  const place = sharedPlace(t);
  const expected = { directory: `${place}/cvmfs-${USER}/shared` };
  const parents = `${place}/missing:${place}`;
  t.deepEqual(asUser(t, { parents }), expected);
  const { mode, uid } = statSync(`${place}/cvmfs-${USER}`);
  t.deepEqual([mode & 0o7777, uid], [0o700, USER]);
  t.deepEqual(asUser(t, { parents }), expected, 'again');
  t.deepEqual(readdirSync(place), [`cvmfs-${USER}`]);
});

test('a place behind a symbolic link is used by its own name', (t) => {
  const [place, other] = [sharedPlace(t), makeDirectory(t)];
  chmodSync(other, 0o755);
  symlinkSync(place, `${other}/link`);
  t.is(asUser(t, { parents: `${other}/link` }).directory, `${place}/cvmfs-${USER}/shared`);
});

/** What can be wrong with a place; the function makes it so, and what is said about it. */
const UNFIT: Record<string, { root?: true; make: (place: string, name: string) => void; says: RegExp }> = {
  'a symbolic link in place of the private directory': {
    make: (place, name) => {
      mkdirSync(`${place}/elsewhere`, { mode: 0o700 });
      if (IS_ROOT) chownSync(`${place}/elsewhere`, USER, USER);
      symlinkSync('elsewhere', name);
    },
    says: /is not a directory/,
  },
  'a private directory that is open to others': {
    make: (_, name) => {
      mkdirSync(name);
      chmodSync(name, 0o750);
      if (IS_ROOT) chownSync(name, USER, USER);
    },
    says: /is open to others/,
  },
  'a private directory of somebody else': {
    root: true,
    make: (_, name) => {
      mkdirSync(name, { mode: 0o700 });
      chownSync(name, STRANGER, STRANGER);
    },
    says: /belongs to user 54322/,
  },
  'a place of somebody else': {
    root: true,
    make: (place) => chownSync(place, STRANGER, STRANGER),
    says: /belongs to user 54322/,
  },
  'a place that everybody may write to, without the sticky bit': {
    make: (place) => chmodSync(place, 0o777),
    says: /is writable by others and not sticky/,
  },
  'a place that a group may write to, without the sticky bit': {
    make: (place) => {
      if (IS_ROOT) chownSync(place, USER, STRANGER);
      chmodSync(place, 0o770);
    },
    says: /is writable by others and not sticky/,
  },
  'a place that cannot be written to': {
    make: (place) => chmodSync(place, 0o555),
    says: /EACCES/,
  },
};

for (const [name, { root, make, says }] of Object.entries(UNFIT)) {
  test(`${name} is not used`, (t) => {
    if (root && !IS_ROOT) return skip(t, 'as root only: directories of somebody else');
    const [unfit, fit] = [sharedPlace(t), sharedPlace(t)];
    make(unfit, `${unfit}/cvmfs-${USER}`);
    t.is(asUser(t, { parents: `${unfit}:${fit}` }).directory, `${fit}/cvmfs-${USER}/shared`, 'the next one is');
    const { code, message = '' } = asUser(t, { parents: unfit });
    t.is(code, 'NO_CACHE');
    t.regex(message, says);
    t.regex(message, /set CVMFS_CACHE_BASE$/);
  });
}

test('a place below a directory in which somebody else can replace it is not used', (t) => {
  const outer = makeDirectory(t);
  mkdirSync(`${outer}/place`);
  chmodSync(`${outer}/place`, 0o1777);
  chmodSync(outer, 0o777);
  t.is(asUser(t, { parents: `${outer}/place` }).code, 'NO_CACHE');
  chmodSync(outer, 0o1777);
  t.is(asUser(t, { parents: `${outer}/place` }).directory, `${outer}/place/cvmfs-${USER}/shared`);
  if (!IS_ROOT) return;
  chownSync(`${outer}/place`, STRANGER, STRANGER);
  t.is(asUser(t, { parents: `${outer}/place` }).code, 'NO_CACHE');
});

for (const [parameter, rest] of [
  ['CVMFS_CACHE_BASE', '/shared'],
  ['CVMFS_CACHE_DIR', ''],
]) {
  test(`a ${parameter} of the files that cannot be used is replaced, with a warning`, (t) => {
    const [place, closed] = [sharedPlace(t), makeDirectory(t)];
    chmodSync(closed, 0o555);
    const outcome = asUser(t, { parents: place, files: { 'default.local': `\n${parameter}=${closed}/cache\n` } });
    const expected = `${place}/cvmfs-${USER}/shared`;
    t.is(outcome.directory, expected);
    const [cache, file] = [`${closed}/cache${rest}`, 'default\\.local:2'];
    t.regex(outcome.warning ?? '', new RegExp(`^cannot use .* ${cache} of .*${file} \\(EACCES\\): using ${expected}$`));
  });

  test(`a ${parameter} of -o that cannot be used is an error`, (t) => {
    const [place, closed] = [sharedPlace(t), makeDirectory(t)];
    chmodSync(closed, 0o555);
    const { code, message } = asUser(t, { parents: place, options: [`${parameter}=${closed}/cache`] });
    t.is(code, 'NO_CACHE');
    t.is(message, `cannot use the cache directory ${closed}/cache${rest} (EACCES): set ${parameter} to a writable one`);
    t.deepEqual(readdirSync(place), []);
  });
}

test('a default.conf as shipped, meant for the system’s own client, leads to no warning', (t) => {
  const place = sharedPlace(t);
  const files = { 'default.conf': 'CVMFS_CACHE_BASE=/var/lib/cvmfs\n' };
  t.deepEqual(asUser(t, { parents: place, files }), { directory: `${place}/cvmfs-${USER}/shared` });
});

test('in a user namespace of our own, where root has no id, the places of the system are used', (t) => {
  const words = ['unshare', '--user', '--map-root-user', 'true'];
  const prefix = IS_ROOT ? ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] : [];
  const [first, ...probe] = [...prefix, ...words];
  if (spawnSync(first, probe).status !== 0) return skip(t, 'no user namespaces here');
  const place = sharedPlace(t);
  const program = join(import.meta.dirname, 'cache-place-program.ts');
  const inside = [...words.slice(0, -1), process.execPath, program, `${USER}`, '/nonexistent'];
  const run = (parent: string): Outcome => {
    const [command, ...rest] = [...prefix, ...inside, parent];
    return JSON.parse(spawnSync(command, rest, { encoding: 'utf8', timeout: 30_000 }).stdout) as Outcome;
  };
  t.deepEqual(run(place), { directory: `${place}/cvmfs-${USER}/shared` });
  t.is(statSync(`${place}/cvmfs-${USER}`).uid, USER);
  chmodSync(place, 0o777);
  t.is(run(place).code, 'NO_CACHE');
});
