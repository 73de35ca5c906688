import test from 'ava';
import { nodeOfRow } from '../../src/filesystem/node-id.ts';
import { Errno, ROOT_NODE } from '../../src/fuse/operations.ts';
import { RepositoryError } from '../../src/repository/errors.ts';
import { pathHash } from '../repository/made-catalog.ts';
import { DIRECTORY, madeFileSystem, thrownBy } from './made-file-system.ts';

/** A chain of directories below one another. */
function chain(length: number): { path: string; mode: number }[] {
  return Array.from({ length }, (_, i) => ({ path: '/d'.repeat(i + 1), mode: DIRECTORY }));
}

function nodeOf({ tree }: ReturnType<typeof madeFileSystem>, path: string): number {
  return nodeOfRow(1, tree.root.catalog.lookup(pathHash(path)));
}

test('a directory is found from its node alone, with its path and its parent', (t) => {
  const made = madeFileSystem({ rows: chain(300) });
  const directory = made.directories.get(nodeOf(made, '/d'.repeat(300)));
  t.is(directory.path, '/d'.repeat(300));
  t.is(directory.parentNode, nodeOf(made, '/d'.repeat(299)));
  t.like(made.directories.get(ROOT_NODE), { path: '', parentNode: ROOT_NODE });
  t.is(made.directories.get(nodeOf(made, '/d')).parentNode, ROOT_NODE);
});

test('what is no directory gives ENOTDIR, what is nothing ESTALE', (t) => {
  const made = madeFileSystem({ rows: [{ path: '/file' }, { path: '/missing/orphan', mode: DIRECTORY }] });
  t.deepEqual(
    thrownBy(() => made.directories.get(nodeOf(made, '/file'))),
    new Errno(20),
  );
  for (const node of [nodeOf(made, '/missing/orphan'), nodeOfRow(1, 99), nodeOfRow(2, 1)]) {
    t.deepEqual(
      thrownBy(() => made.directories.get(node)),
      new Errno(116),
    );
  }
});

const setParent = (path: string, parent: string) => {
  const { hi1, lo1, hi2, lo2 } = pathHash(parent);
  const value = (hi: number, lo: number) => (BigInt(hi) << 32n) | BigInt(lo >>> 0);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return `UPDATE catalog SET parent_1 = ${value(hi1, lo1)}, parent_2 = ${value(hi2, lo2)} WHERE name = '${name}';`;
};

test('directories that contain themselves, or are absurdly deep, end in an error and not in a loop', (t) => {
  const directories = ['/a', '/b', '/c'].map((path) => ({ path, mode: DIRECTORY }));
  for (const after of [setParent('/a', '/a'), setParent('/a', '/b') + setParent('/b', '/c') + setParent('/c', '/a')]) {
    const made = madeFileSystem({ rows: directories, after });
    const thrown = thrownBy(() => made.directories.get(nodeOf(made, '/a')));
    t.true(thrown instanceof RepositoryError, String(thrown));
    t.is((thrown as RepositoryError).code, 'BadCatalog');
    t.regex((thrown as RepositoryError).message, /^the catalog of \/ is damaged: /);
    t.notThrows(() => made.operations.lookup(ROOT_NODE, 'a'));
    t.true(thrownBy(() => made.operations.lookup(nodeOf(made, '/a'), 'x')) instanceof RepositoryError);
    t.is(made.operations.lookup(ROOT_NODE, 'b')?.node, nodeOf(made, '/b'), 'the rest works');
  }
  const deep = madeFileSystem({ rows: chain(5000) });
  t.true(thrownBy(() => deep.directories.get(nodeOf(deep, '/d'.repeat(5000)))) instanceof RepositoryError);
  t.is(deep.directories.get(nodeOf(deep, '/d'.repeat(2000))).path.length, 4000);
});
