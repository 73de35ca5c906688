import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { masterKeys } from '../../src/config/key-files.ts';
import { MASTER_KEYS } from '../../src/config/master-keys.ts';
import { type Given, load, makeDirectory, writeFiles } from './configuration.ts';

/** Where the keys come from. */
function labels(...[t, given]: Parameters<typeof load>): string[] {
  return masterKeys(load(t, given)).map(({ label }) => label);
}

const BUILT_IN = MASTER_KEYS.get('cern.ch')!.map(() => 'built-in key of cern.ch');
const [KEY] = MASTER_KEYS.get('egi.eu')!;

/** The four ways to say that keys are in `directory`. */
function waysToName(t: Parameters<typeof load>[0], directory: string): Record<string, Given> {
  const setting = `CVMFS_KEYS_DIR=${directory}`;
  return {
    system: { files: { 'domain.d/cern.ch.conf': setting } },
    '--config': { files: { 'domain.d/cern.ch.conf': setting }, configDirectory: makeDirectory(t) },
    environment: { environment: { CVMFS_KEYS_DIR: directory } },
    '-o': { options: [setting] },
  };
}

test('the keys of a built-in domain need no files', (t) => {
  t.deepEqual(
    masterKeys(load(t)).map(({ pem }) => pem),
    [...MASTER_KEYS.get('cern.ch')!],
  );
});

test('all .pub files of a directory count, by name, however it was named', (t) => {
  const directory = makeDirectory(t);
  writeFiles(directory, { 'b.pub': KEY, 'a.pub': KEY, 'c.pem': KEY });
  const expected = [`${directory}/a.pub`, `${directory}/b.pub`];
  for (const given of Object.values(waysToName(t, directory))) t.deepEqual(labels(t, given), expected);
});

test('a directory of the system without usable keys gives way to the built-in ones', (t) => {
  const directory = makeDirectory(t);
  writeFiles(directory, { 'empty/x.pem': KEY, 'broken/a.pub': 'no key' });
  mkdirSync(join(directory, 'broken/b.pub'));
  for (const name of ['missing', 'empty', 'broken']) {
    t.deepEqual(labels(t, waysToName(t, join(directory, name)).system), BUILT_IN, name);
  }
  const stock = { 'default.conf': 'CVMFS_KEYS_DIR=/etc/cvmfs/keys\n' };
  t.deepEqual(labels(t, { fqrn: 'x.egi.eu', files: stock }).length, 1);
});

test('a directory that was named for this launch is meant', (t) => {
  const directory = makeDirectory(t);
  mkdirSync(join(directory, 'empty'));
  for (const way of ['--config', 'environment', '-o']) {
    t.throws(() => labels(t, waysToName(t, join(directory, 'missing'))[way]), { code: 'KEY_FILE' }, way);
    t.throws(() => labels(t, waysToName(t, join(directory, 'empty'))[way]), { code: 'NO_KEY' }, way);
  }
});

test('CVMFS_PUBLIC_KEY is a list of files, and wins over directories', (t) => {
  const directory = makeDirectory(t);
  writeFiles(directory, { 'a.pub': KEY, b: KEY, 'keys/c.pub': KEY });
  const options = [`CVMFS_KEYS_DIR=${directory}/keys`, `CVMFS_PUBLIC_KEY=${directory}/b::${directory}/a.pub`];
  t.deepEqual(labels(t, { options }), [`${directory}/b`, `${directory}/a.pub`]);
  const missing = { options: [`CVMFS_PUBLIC_KEY=${directory}/a.pub:${directory}/missing`] };
  t.throws(() => labels(t, missing), { code: 'KEY_FILE', message: /missing \(ENOENT\)/ });
});

test('a repository of another domain without keys is refused, and told what to set', (t) => {
  for (const fqrn of ['x.example.org', 'x.constructor']) {
    t.throws(() => labels(t, { fqrn, options: [`CVMFS_KEYS_DIR=${makeDirectory(t)}`] }), {
      code: 'NO_KEY',
      message: /CVMFS_PUBLIC_KEY/,
    });
  }
});
