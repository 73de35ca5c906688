import test from 'ava';
import type { Guide } from '../../src/preload/guide.ts';
import { linkTarget } from '../../src/preload/link-target.ts';
import { PathTree } from '../../src/preload/path-tree.ts';
import type { RecordEntry } from '../../src/preload/record.ts';

const FQRN = 'a.example.org';

function at(guide: Guide | undefined, path: string) {
  let next = guide;
  let found: ReturnType<Guide['child']>;
  for (const name of path.split('/').slice(1)) {
    found = next?.child({ path, name, hidden: false });
    next = found?.below;
  }
  return found;
}

test('a record leads to what was read, to the directories that were looked into, and nowhere else', (t) => {
  const place = { repository: FQRN };
  const entries: RecordEntry[] = [
    { type: 'catalog', ...place, path: '', hash: 'h', revision: 1 },
    { type: 'directory', ...place, path: '/a/empty' },
    { type: 'file', ...place, path: '/a/file', hash: 'h' },
    { type: 'file', ...place, path: '/a/chunked', hash: 'h1', offset: 10, size: 5 },
    { type: 'file', ...place, path: '/a/chunked', hash: 'h2', offset: 30, size: 5 },
    { type: 'link', ...place, path: '/link', target: 'a' },
    { type: 'file', repository: 'b.example.org', path: '/other', hash: 'h' },
  ];
  const { guide } = PathTree.ofRecord(entries, FQRN);
  t.deepEqual([...(guide.names?.() ?? [])].sort(), ['a', 'link']);
  t.is(at(guide, '/a/file')?.content, 'all');
  t.deepEqual(at(guide, '/a/chunked')?.content, [
    { offset: 10, size: 5 },
    { offset: 30, size: 5 },
  ]);
  t.truthy(at(guide, '/a/empty')?.below);
  t.deepEqual(at(guide, '/link'), { content: undefined, below: undefined });
  t.is(at(guide, '/other'), undefined);
});

test('the whole of a path is wanted once that was said', (t) => {
  const tree = new PathTree();
  t.true(tree.isEmpty);
  tree.addWhole('/a/b');
  t.is(at(tree.guide, '/a/b/c/d')?.content, 'all');
  t.deepEqual([...(at(tree.guide, '/a')?.below?.rest?.() ?? [])], ['/b']);
  const everything = new PathTree();
  everything.addWhole('');
  t.is(at(everything.guide, '/x/y')?.content, 'all');
});

test('links lead to a path of the repository, or elsewhere', (t) => {
  const cases: [string, string, string | undefined][] = [
    ['/a/link', 'b', '/a/b'],
    ['/a/link', '../b/./c/', '/b/c'],
    ['/link', `/cvmfs/${FQRN}/x//y`, '/x/y'],
    ['/a/b/link', '../..', ''],
    ['/link', `/cvmfs/${FQRN}`, ''],
    ['/link', '/etc/passwd', undefined],
    ['/link', `/cvmfs/${FQRN}x/y`, undefined],
    ['/link', '../other.example.org/x', undefined],
    ['/link', `../${FQRN}/x`, '/x'],
  ];
  for (const [path, target, expected] of cases) t.is(linkTarget(FQRN, path, target), expected, `${path} -> ${target}`);
});
