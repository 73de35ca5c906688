import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';
import { parseLaunchWords } from '../../src/cli/launch-words.ts';

const directory = join(import.meta.dirname, '../../src/launcher');

function inShell(words: readonly string[], variable: string): string {
  const code = `. "$1/quoting.sh"; . "$1/words.sh"; shift; cx_parse_words "$@"; printf %s "$${variable}"`;
  return execFileSync('/bin/sh', ['-c', code, 'sh', directory, ...words, '--', 'command', 'b.org'], {
    encoding: 'utf8',
  });
}

function namesInShell(words: readonly string[]): string[] {
  return inShell(words, 'cx_names').split(' ').filter(Boolean);
}

const LINES: readonly (readonly string[])[] = [
  ['atlas.cern.ch'],
  ['atlas.cern.ch', 'atlas', 'atlas.cern.ch'],
  ['-o', 'A=b', '-oC=d', 'a.org', '--config', 'directory', '--record', 'file', 'c.org'],
  ['--image', '/cvmfs/a.org/image', 'b.org', '--bind', 'c.org:/x', '--env=A=b', '--pwd', '/x', '--contain'],
  ['--image=/cvmfs/a.org', 'a.org'],
  ['--image', 'debian:stable'],
  ['--image', 'debian:stable', 'a.org'],
  ['--image', './directory', '--no-home', '--cleanenv'],
  ['-m', 'image', 'a.org', '-m/other', 'c.org'],
  ['--overlay', 'a.org:dir', '--overlay=b.org/sub/path', 'c.org', '--overlay', 'c.org', '--overlay-engine', 'fuse'],
  ['--fuse-overlayfs', 'program', '--overlay-engine=kernel', '--overlay', 'd.org/x:y:z:ro', 'a.org'],
  ['--config=directory', '--record=file', '-d', '--debug', '--offline', '--map-subids', '--host-pids', '-N', 'a.org'],
  ['--auto'],
  ['--status-fd', '3', 'a.org', '--status-fd=4'],
  ['--auto', '*.org', 'a.org'],
  ['--auto', 'a.org', '--auto=b.org', '-d'],
  ['--config=directory', '--record=file', '-d', '--debug', '--offline', '-N', 'a.org'],
];

for (const words of LINES) {
  test(`the shell finds the repositories that the server finds in: ${words.join(' ')}`, (t) => {
    t.deepEqual(namesInShell(words), [...parseLaunchWords(words).repositories]);
  });
}

test('the shell passes over what the server will refuse', (t) => {
  t.deepEqual(namesInShell(['a b', '*', '', '--unknown', 'a.org', '-o']), ['a.org']);
});

for (const words of [['-m', 'a b', 'c.org'], ['c.org', '-m/x'], ['-m', 'first', '-m', 'last', 'c.org'], ['c.org']]) {
  test(`the shell finds the scratch image that the server finds in: ${words.join(' ')}`, (t) => {
    t.is(inShell(words, 'cx_scratch'), parseLaunchWords(words).scratch ?? '');
  });
}

test('the shell finds the overlays as they were given', (t) => {
  const odd = "a.org/x y:it's\n*";
  const words = ['--overlay', odd, 'b.org', '--overlay-engine', 'fuse', '--overlay=c.org'];
  const variables = ['cx_overlays', 'cx_overlay_1', 'cx_overlay_2', 'cx_overlay_engine'];
  t.deepEqual(
    variables.map((name) => inShell(words, name)),
    ['2', odd, 'c.org', 'fuse'],
  );
});
