// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is sh
// Configuration files that need more than our own parser, and files that include others.
import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { load, makeDirectory } from './configuration.ts';

test('what is more than assignments is run by a shell, in the directory of its file', (t) => {
  const directory = makeDirectory(t);
  const parameters = load(t, {
    systemDirectory: directory,
    files: {
      'default.conf': 'CVMFS_BASE=/base\n',
      'default.local': `CVMFS_A=$(echo "a  b")
case $CVMFS_BASE in /b*) CVMFS_B=yes ;; esac
for n in 1 2 3; do CVMFS_C=$CVMFS_C$n; done
read -r CVMFS_D < beside
add() { CVMFS_E="$1;$HOME"; }; add x
CVMFS_F="two
lines"
PLAIN=1
`,
      beside: 'from a file\n',
    },
    environment: { HOME: '/home', OTHER: '1' },
  });
  t.deepEqual(parameters.warnings, []);
  const values = ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => parameters.get(`CVMFS_${name}`));
  t.deepEqual(values, ['a  b', 'yes', '123', 'from a file', 'x;/home', 'two\nlines']);
  t.is(parameters.get('PLAIN'), '1');
  const file = join(directory, 'default.local');
  t.deepEqual(parameters.source('CVMFS_A'), { file, line: 1 });
  t.deepEqual(parameters.source('CVMFS_B'), { file, line: 2 });
  t.deepEqual(parameters.source('CVMFS_BASE'), { file: join(directory, 'default.conf'), line: 1 }, 'as it was before');
});

test('a shell gets the variables that are spoken of and nothing else of the environment', (t) => {
  const text = 'CVMFS_A=$(env | cut -d= -f1 | grep -v "^_$" | sort | tr "\\n" " "); CVMFS_B=$SPOKEN\n';
  const environment = { SPOKEN: 'of', SECRET: 'x', ENV: '/tmp/evil', LD_PRELOAD: 'x', BASH_ENV: 'x' };
  const parameters = load(t, { files: { 'default.local': `: "$ENV$LD_PRELOAD$BASH_ENV"\n${text}` }, environment });
  t.is(parameters.get('CVMFS_B'), 'of');
  const names = parameters.get('CVMFS_A')?.trim().split(' ') ?? [];
  t.deepEqual(
    names.filter((name) => !name.startsWith('CVMFS_')),
    ['PATH', 'PWD', 'SPOKEN'],
  );
});

test('return ends a file, and a program that stays behind delays nothing', (t) => {
  const text = 'CVMFS_A=$(echo 1)\nsleep 60 &\nif [ -x /bin/sh ]; then return; fi\nCVMFS_A=2\n';
  const start = performance.now();
  const parameters = load(t, { files: { 'default.local': text } });
  t.is(parameters.get('CVMFS_A'), '1');
  t.true(performance.now() - start < 4000);
});

for (const [name, text] of Object.entries({
  'does not end': 'while :; do :; done',
  'waits for a terminal': 'sleep 1000',
  'says too much': 'CVMFS_B=$(head -c 1000000 /dev/zero | tr "\\0" x)',
  'is damaged': 'if',
})) {
  test(`a file that ${name} is left out as far as it needs a shell`, (t) => {
    const start = performance.now();
    const parameters = load(t, { files: { 'default.local': `CVMFS_A=1\n${text}\n` } });
    t.true(performance.now() - start < 15_000);
    t.is(parameters.get('CVMFS_A'), '1');
    t.is(parameters.get('CVMFS_B'), undefined);
    t.regex(parameters.warnings[0], /default\.local:2: left out, as it needs a shell, and it (takes|sets|does not)/);
  });
}

for (const [name, spoil] of Object.entries<(directory: string) => void>({
  'a file that everybody can write to': (directory) => chmodSync(join(directory, 'default.local'), 0o666),
  'an included file that everybody can write to': (directory) => chmodSync(join(directory, 'beside'), 0o666),
  'a directory that everybody can write to': (directory) => chmodSync(directory, 0o777),
  "a stranger's file": (directory) => {
    if (process.getuid?.() === 0) chownSync(join(directory, 'default.local'), 54_321, 54_321);
    else chmodSync(join(directory, 'default.local'), 0o666);
  },
})) {
  test(`${name} is not executed, but its assignments count`, (t) => {
    const directory = makeDirectory(t);
    const files = {
      'default.local': 'CVMFS_A=1\n. ./beside\nCVMFS_B=$(touch executed; echo 2)\n',
      beside: 'CVMFS_C=3\n',
    };
    load(t, { systemDirectory: directory, files });
    spoil(directory);
    const parameters = load(t, { systemDirectory: directory });
    t.deepEqual(
      ['CVMFS_A', 'CVMFS_B', 'CVMFS_C'].map((key) => parameters.get(key)),
      ['1', undefined, '3'],
    );
    t.is(parameters.warnings.length, 1);
    t.regex(
      parameters.warnings[0],
      /default\.local:3: left out, as it needs a shell, and \/.* (is writable by everybody|belongs to user 54321)$/,
    );
  });
}

test('an included file is read in its place, and its values have its lines', (t) => {
  const directory = makeDirectory(t);
  const parameters = load(t, {
    systemDirectory: directory,
    files: {
      'domain.d/cern.ch.conf':
        'CVMFS_A=before\n. ../common/common.conf\nCVMFS_B="$CVMFS_A+"\nsource $CVMFS_BASE/other\n',
      'common/common.conf': '\nif [ "$CVMFS_A" = before ]; then\n  CVMFS_A=inside\n  return\nfi\nCVMFS_A=never\n',
      'default.conf': `CVMFS_BASE=${directory}\n`,
      other: 'CVMFS_C=3\n',
    },
  });
  t.deepEqual(parameters.warnings, []);
  t.deepEqual(
    ['CVMFS_A', 'CVMFS_B', 'CVMFS_C'].map((name) => parameters.get(name)),
    ['inside', 'inside+', '3'],
  );
  t.deepEqual(parameters.source('CVMFS_A'), { file: join(directory, 'common/common.conf'), line: 3 });
  t.deepEqual(parameters.source('CVMFS_B'), { file: join(directory, 'domain.d/cern.ch.conf'), line: 3 });
});

test('an included file that needs a shell is run with the file that includes it', (t) => {
  const files = {
    'config.d/atlas.cern.ch.conf': 'CVMFS_A=1\nsource ../common.conf\nCVMFS_B="$CVMFS_C"\n',
    'common.conf': 'CVMFS_C=$(echo 2)\n',
  };
  const parameters = load(t, { files });
  t.deepEqual(parameters.warnings, []);
  t.deepEqual(
    ['CVMFS_A', 'CVMFS_B', 'CVMFS_C'].map((name) => parameters.get(name)),
    ['1', '2', '2'],
  );
});

test('an included file that is missing is told, and the rest is read; one that includes itself comes to an end', (t) => {
  const directory = makeDirectory(t);
  const files = {
    'default.conf': '. ./missing\nCVMFS_A=1\n',
    'default.local': 'CVMFS_B=${CVMFS_B}x\n. ./default.local\n',
  };
  const parameters = load(t, { systemDirectory: directory, files });
  t.is(parameters.get('CVMFS_A'), '1');
  t.regex(parameters.get('CVMFS_B') ?? '', /^x+$/);
  t.is(parameters.warnings[0], `${directory}/default.conf includes ${directory}/missing, which cannot be read`);
});

test('what the environment or an option sets is not changed by a shell', (t) => {
  const files = { 'default.local': 'CVMFS_A=$(echo file)\nCVMFS_B=$(echo file)\n' };
  const parameters = load(t, { files, environment: { CVMFS_A: 'environment' }, options: ['CVMFS_B=option'] });
  t.deepEqual([parameters.get('CVMFS_A'), parameters.get('CVMFS_B')], ['environment', 'option']);
  t.is(parameters.source('CVMFS_B'), '-o');
});
