// docs/comparison.md: every option of cvmfsexec 4.51 has a row, every row a test, and every test exists.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { testTitles } from '../support/test-titles.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/comparison.md'), 'utf8');

/** First cells of the tables of each section. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  cvmfsexec: [
    '`REPO... -- COMMAND`',
    'no `COMMAND`',
    '`-v`',
    '`-N`',
    '`-m IMAGE`',
    '`$CVMFSMOUNT REPO`',
    '`$CVMFSUMOUNT REPO`',
    '`$CVMFSEXEC_CMDFD`',
  ],
  'mountrepo and umountrepo': ['`mountrepo REPO`', '`umountrepo REPO`', '`umountrepo -a`', '`umountrepo -z`'],
  singcvmfs: [
    ...['`-V`', 'global options of the runtime', '`exec`, `run`, `shell`', '`instance start`', '`version`'],
    ...['`COMMAND` in `SINGCVMFS_IMAGE`', '`SINGCVMFS_REPOSITORIES`', '`SINGCVMFS_CACHEDIR`', '`SINGCVMFS_CACHEIMAGE`'],
    ...['`SINGCVMFS_OPTSFILE`', '`SINGCVMFS_SINGOPTS`', '`SINGCVMFS_LOGDIR`, `SINGCVMFS_LOGLEVEL`'],
  ],
  makedist: ['`osg`, `egi`, `default`, `none`', '`-o FILE`', '`-s`', '`-m MACHINE`', '`-v VERSION`'],
  'What cvmfsexec does not have': ['container images', 'nodes without network'],
  Behaviour: ['exit status', 'one cache, several jobs', 'files left behind', 'configuration repository'],
};

for (const [title, options] of Object.entries(OPTIONS)) {
  const rows = rowsOf(title);
  test(`${title}: every option has a row, with a verdict`, (t) => {
    for (const option of options)
      t.true(
        rows.some(([first]) => first === option),
        option,
      );
    for (const row of rows) t.regex(row.at(-2) ?? '', /^(same|better|different)\b/, row.join(' | '));
  });
  test(`${title}: every row names tests that exist`, (t) => {
    for (const row of rows) {
      const named = [...(row.at(-1) ?? '').matchAll(/`(test\/[^`]+)` “([^”]+)”/g)];
      t.true(named.length > 0, `no test: ${row.join(' | ')}`);
      for (const [, file = '', name = ''] of named) {
        t.true(
          testTitles(join(root, file)).some((found) => found.includes(name)),
          `${file}: ${name}`,
        );
      }
    }
  });
}

function rowsOf(title: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter((cells) => cells[0] !== 'option' && cells[0] !== '');
}
