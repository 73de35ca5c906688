// The man pages that the build makes, and what --version says of this host.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parseHelp } from '../../scripts/manual/help-text.ts';
import { manPage } from '../../scripts/manual/man-page.ts';
import { command } from '../../src/cli/cvmfsexec.ts';
import { command as mountrepo } from '../../src/cli/mountrepo.ts';
import { command as umountrepo } from '../../src/cli/umountrepo.ts';

const root = join(import.meta.dirname, '../..');
const directory = join(root, 'dist/man');
const pages = readdirSync(directory);
const { bin, man } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  bin: Record<string, string>;
  man: string[];
};

for (const page of pages) {
  test(`${page} is a sound man page`, (t) => {
    const file = join(directory, page);
    const { stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', file], { encoding: 'utf8' });
    t.is(stdout + stderr, '');
    const shown = spawnSync('man', ['--warnings', '-l', file], {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '80' },
    });
    t.is(shown.stderr, '');
    for (const section of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'SEE ALSO'])
      t.regex(shown.stdout, new RegExp(`^${section}$`, 'm'));
  });
}

test('every program has a page that the package installs, and it installs none that is not there', (t) => {
  for (const name of Object.keys(bin)) t.true(man.includes(`dist/man/${name}.1`), name);
  for (const path of man) t.true(pages.includes(path.replace('dist/man/', '')), path);
});

for (const program of [command(), mountrepo(), umountrepo()]) {
  test(`${program.name()}(1) has every option of the program, with its text`, (t) => {
    const text = execFileSync('man', ['-l', join(directory, `${program.name()}.1`)], {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '1000' },
    });
    for (const { flags, description } of program.options) {
      t.true(text.includes(flags), flags);
      t.true(text.includes(description), description);
    }
  });
}

test('help is taken apart: examples, tables with wrapped lines, paragraphs before and behind', (t) => {
  const help = parseHelp(`Examples:
  a b
  c \\
    d

Usage: p [options]

What it
does.

Options:
  -x <Y>   long
           text
  --zed

  NAME_OF  a variable

Exit codes: 0 or 1.
`);
  t.deepEqual(help, {
    examples: ['a b', 'c \\', '  d'],
    usage: ['p [options]'],
    description: ['What it does.'],
    options: [
      { words: '-x <Y>', text: 'long text' },
      { words: '--zed', text: '' },
    ],
    others: [{ words: 'NAME_OF', text: 'a variable' }],
    arguments: [],
    commands: [],
    notes: ['Exit codes: 0 or 1.'],
  });
  const page = manPage({ name: 'p', summary: '.x', help, handWritten: '', seeAlso: [], version: '1' });
  t.true(page.includes('.SH EXIT STATUS\n0 or 1.\n'));
  t.true(page.includes('c \\e\n'), 'a backslash is shown');
});

test('--version begins with the version and says what it finds on this host, -v is that line alone', (t) => {
  const started = performance.now();
  const [first, ...features] = execFileSync(join(root, 'bin/cvmfsexec'), ['--version'], { encoding: 'utf8' })
    .trim()
    .split('\n');
  t.true(performance.now() - started < 6000);
  t.is(`${first}\n`, execFileSync(join(root, 'bin/cvmfsexec'), ['-v'], { encoding: 'utf8' }));
  t.regex(first ?? '', /^cvmfsexec \d+\.\d+\.\d+$/);
  const found = new Map(features.map((line) => [line.slice(2, 18).trim(), line.slice(19)]));
  for (const name of [
    'Node',
    'user namespaces',
    'pid namespaces',
    '/dev/fuse',
    'kernel overlay',
    'fuse-overlayfs',
    'fuse2fs',
  ]) {
    t.true(found.has(name), name);
  }
  t.is(found.get('user namespaces'), 'yes', 'the tests need them');
  const hidden = execFileSync('/bin/sh', ['-c', 'PATH=/nowhere exec "$0" --version', join(root, 'bin/cvmfsexec')], {
    encoding: 'utf8',
  });
  t.regex(hidden, /^ {2}fusermount {7}\/usr\/bin\/fusermount3?$/m, 'also where PATH has no system directories');
});

test('whoever stops reading what is printed ends the program quietly', (t) => {
  for (const words of ['cvmfsexec --help', 'cvmfsexec completion bash', 'mountrepo --help']) {
    const code = `{ sleep 0.2; "${root}/bin/"${words}; echo $? >&2; } | true`;
    const { stderr } = spawnSync('/bin/sh', ['-c', code], { encoding: 'utf8' });
    t.is(stderr, '141\n', words);
  }
});
