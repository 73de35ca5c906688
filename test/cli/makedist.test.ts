// The words of makedist, and what comes into the file. Its Node is a small program here, as none of these starts one.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Installation } from '../support/run-cvmfsexec.ts';

const place = new Installation();
const small = join(place.directory, 'small');
test.before(() => {
  mkdirSync(join(small, 'bin'), { recursive: true });
  copyFileSync('/bin/echo', join(small, 'bin/node'));
});
test.after.always(() => place.close());

/** In a directory of its own. */
function workplace() {
  const directory = place.newPath();
  mkdirSync(directory);
  execFileSync('chmod', ['777', directory]);
  const makedist = (...words: string[]) =>
    place.command(['sh', '-c', 'cd "$0"; exec "$@"', directory, place.program, 'makedist', '--node', small, ...words]);
  return { directory, makedist };
}

function archived(file: string): string[] {
  const head = readFileSync(file, 'latin1').slice(0, 20_000);
  const offset = /^cx_offset='(\d+)'/m.exec(head)?.[1];
  return execFileSync('sh', ['-c', 'tail -c "+$2" "$1" | tar -tzf -', 'sh', file, offset!], { encoding: 'utf8' }).split(
    '\n',
  );
}

test('as with makedist of cvmfsexec: a directory, which can be changed, then the file', async (t) => {
  const { directory, makedist } = workplace();
  t.is((await makedist('osg', '-s', '-m', 'rhel9-x86_64')).exitCode, process.arch === 'x64' ? 0 : 125);
  if (process.arch !== 'x64') return;
  const local = join(directory, 'dist/etc/cvmfs/default.local');
  t.regex(
    readFileSync(local, 'utf8'),
    /^CVMFS_HTTP_PROXY="auto;DIRECT"\nCVMFS_PAC_URLS="http:\/\/grid-wpad\/wpad.dat;/,
  );
  t.is(
    readFileSync(join(directory, 'dist/etc/cvmfs/default.d/50-osg.conf'), 'utf8'),
    'CVMFS_CONFIG_REPOSITORY=config-osg.opensciencegrid.org\n',
  );
  const again = await makedist('osg');
  t.is(again.exitCode, 125);
  t.regex(again.stderr, /^cvmfsexec: dist already exists: .*\n$/);
  writeFileSync(join(directory, 'dist/etc/cvmfs/more.conf'), 'CVMFS_QUOTA_LIMIT=1\n');
  const { exitCode, stderr } = await makedist('-o', 'file', '-v', '2.12.0');
  t.is(exitCode, 0, stderr);
  const file = join(directory, 'file');
  const names = archived(file);
  for (const name of ['default.local', 'more.conf', 'default.d/50-osg.conf'])
    t.true(names.includes(`etc/cvmfs/${name}`), name);
  t.is(statSync(file).mode & 0o777, 0o755);
  t.regex(
    execFileSync(file, ['--help'], {
      encoding: 'utf8',
      env: { HOME: directory, CVMFSEXEC_UNPACK_DIR: `${directory}/u` },
    }),
    /SINGCVMFS_IMAGE/,
  );
});

test('the same contents make the same file; without a configuration there is none in it', async (t) => {
  const { directory, makedist } = workplace();
  for (const name of ['one', 'two']) t.is((await makedist('-o', name)).exitCode, 0);
  t.true(readFileSync(join(directory, 'one')).equals(readFileSync(join(directory, 'two'))));
  const names = archived(join(directory, 'one'));
  t.deepEqual(
    names.filter((name) => name.startsWith('etc/') || name.startsWith('libexec/')),
    [],
  );
  for (const program of ['bin/cvmfsexec', 'dist/start.cjs', 'src/launcher/serve.sh', 'node/bin/node'])
    t.true(names.includes(program));
});

for (const [what, words, message] of [
  ['nothing to make', [], /nothing to make/],
  ['an unknown configuration', ['atlas'], /Allowed choices are default, osg, egi, none/],
  [
    'a machine that the package has no Node for',
    ['-o', 'f', '-m', 'rhel9-ppc64le'],
    /-m rhel9-ppc64le: .* for \w+ only/,
  ],
  ['a configuration that is not there', ['-o', 'f', '--config', 'nowhere'], /cannot read nowhere \(ENOENT\)/],
  ['a place where nothing can be written', ['-o', '/proc/f'], /cannot write \/proc\/f/],
] as const) {
  test(`refused: ${what}`, async (t) => {
    const { directory, makedist } = workplace();
    const { exitCode, stderr } = await makedist(...words);
    t.is(exitCode, 125);
    t.regex(stderr, /^cvmfsexec: [^\n]+\n$/);
    t.regex(stderr, message);
    t.false(existsSync(join(directory, 'f')));
  });
}

test('for another processor: its Node, its loader, and none of this machine’s', async (t) => {
  // Programs as those for it, as far as their headers tell.
  const [own, other] = process.arch === 'x64' ? ['x86_64', 'aarch64'] : ['aarch64', 'x86_64'];
  const foreign = place.newPath();
  mkdirSync(join(foreign, 'lib'), { recursive: true });
  mkdirSync(join(foreign, 'bin'));
  const convert = (from: string, to: string): void => {
    const program = readFileSync(from);
    program.writeUInt16LE(other === 'aarch64' ? 183 : 62, 18);
    writeFileSync(join(foreign, to), program);
  };
  convert('/bin/echo', 'bin/node');
  const lines = execFileSync('ldd', ['/bin/echo'], { encoding: 'utf8' });
  for (const [path] of lines.matchAll(/\/\S+(?= \(0x)/g)) convert(path, `lib/${path.slice(path.lastIndexOf('/') + 1)}`);
  const { directory, makedist } = workplace();
  const { exitCode, stderr } = await makedist('--node', foreign, '-m', `rhel9-${other}`, '-o', 'f');
  t.is(exitCode, 0, stderr);
  t.regex(
    (await makedist('--node', foreign, '-m', `rhel9-${own}`, '-o', 'g')).stderr,
    new RegExp(`a Node for ${other} only`),
  );
  const names = archived(join(directory, 'f'));
  t.true(names.includes('dist/serving.cjs'));
  t.deepEqual(
    names.filter((name) => name.endsWith('.cache')),
    [],
  );
  const run = await place.command([join(directory, 'f'), '--version'], {
    env: { CVMFSEXEC_UNPACK_DIR: `${directory}/u` },
  });
  t.is(run.stderr, `f: this file is for ${other}, this machine is ${own}\n`);
  t.is(run.exitCode, 125);
});

test('a file name in the configuration that sh would not take as it is', async (t) => {
  const { directory, makedist } = workplace();
  mkdirSync(join(directory, 'config'));
  writeFileSync(join(directory, 'config/a b.conf'), '');
  const { stderr } = await makedist('-o', 'f', '--config', 'config');
  t.regex(stderr, /^cvmfsexec: config\/a b\.conf: such a file name is not possible: rename it\n$/);
});
