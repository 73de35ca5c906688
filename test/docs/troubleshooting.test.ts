// docs/troubleshooting.md: each code of each error class has an entry, and there are no others.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');

/** Classes that their callers turn into one of the others. */
const INTERNAL = new Set(['ResolveError']);

/** Codes by class: of `readonly code: 'A' | 'B'`, or of the type that is named there. */
function codesInSource(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const path of globSync('src/**/*.ts', { cwd: root })) {
    const source = readFileSync(join(root, path), 'utf8');
    for (const [, name = '', body = ''] of source.matchAll(/class (\w+Error) extends Error \{(.*?)\n\}/gs)) {
      const [, type = '', value] = /readonly code(?:: ([^;=]+)| = ('\w+'));/.exec(body) ?? [];
      const union = /^\w+$/.test(type)
        ? (new RegExp(`type ${type} =(.*?);`, 's').exec(source)?.[1] ?? '')
        : type || value;
      const codes = [...(union ?? '').replace(/\/\*\*.*?\*\//gs, '').matchAll(/'([\w-]+)'/g)].map(
        ([, code = '']) => code,
      );
      if (codes.length > 0 && !INTERNAL.has(name)) found.set(name, new Set(codes));
    }
  }
  return found;
}

function codesOnPage(name: string): Set<string> {
  const section = page.split(/^### /m).find((text) => text.startsWith(`${name}\n`)) ?? '';
  const firstCells = section.split('\n').map((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? '');
  return new Set(firstCells.flatMap((cell) => [...cell.matchAll(/`([\w-]+)`/g)].map(([, code = '']) => code)));
}

const classes = codesInSource();

test('the classes are found', (t) => {
  t.true(classes.size >= 10, [...classes.keys()].join(' '));
  t.true(classes.get('ConfigError')?.has('NO_CACHE'));
});

for (const [name, codes] of classes) {
  test(`${name}: each code has an entry, and no other has`, (t) => {
    t.deepEqual([...codesOnPage(name)].sort(), [...codes].sort());
  });
}

test('links lead to pages that there are', (t) => {
  for (const file of globSync('docs/*.md', { cwd: root })) {
    for (const [, to = ''] of readFileSync(join(root, file), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      t.notThrows(() => readFileSync(join(root, 'docs', to)), `${file}: ${to}`);
    }
  }
});
