import test from 'ava';
import { CatalogTree } from '../../src/filesystem/catalog-tree.ts';
import { condenseJournal, encodeRecord, journalSettings, replayJournal } from '../../src/filesystem/node-journal.ts';
import { RepositoryOperations } from '../../src/filesystem/repository-operations.ts';
import { Pending } from '../../src/fuse/operations.ts';
import { catalogFile, type MadeCatalog, openMade } from '../repository/made-catalog.ts';
import { DIRECTORY, MADE_FACTS, nodeAt, settled, thrownBy } from './made-file-system.ts';
import { MemoryStore } from './memory-store.ts';

const ROOT_RECORD = encodeRecord({ kind: 'root', hash: 'ab'.repeat(20), fixed: false, alternativePath: false });

/** Two nested catalogs side by side; the first holds a hard link group. */
function repository(store: MemoryStore): MadeCatalog {
  const nested = (name: string) => {
    const rows = ['one', 'two', 'three'].map((file) => ({ path: `/${name}/${file}`, hardlinks: (7n << 32n) | 2n }));
    const more = [{ path: `/${name}/d`, mode: DIRECTORY }, { path: `/${name}/d/file` }];
    const file = catalogFile({ properties: { root_prefix: `/${name}` }, rows: [...rows, ...more] });
    return `INSERT INTO nested_catalogs VALUES ('/${name}', '${store.add(file)}', ${file.length});`;
  };
  const rows = ['a', 'b'].map((name) => ({ path: `/${name}`, mode: DIRECTORY }));
  return { rows, after: nested('a') + nested('b') };
}

/** A server of the mount whose journal has these records. */
function server(root: MadeCatalog, store: MemoryStore, records: readonly string[] = []) {
  const written = [...records];
  if (records.length === 0) written.push(ROOT_RECORD);
  const report = () => {};
  const journal = { append: (record: string) => written.push(record) };
  const tree = new CatalogTree({ store, root: openMade(root), report, journal, restored: replayJournal(records) });
  const facts = MADE_FACTS;
  const ownership = { worldReadable: false };
  const operations = new RepositoryOperations({ tree, store, facts, ownership, variables: {}, report });
  return { tree, operations, written };
}

test('another server of the same mount knows the nodes, and gives out the same', async (t) => {
  const store = new MemoryStore();
  const root = repository(store);
  const first = server(root, store);
  // In this order, which the second server does not repeat.
  const paths = ['/b/d/file', '/b/d', '/a/two', '/a/one', '/a/d/file'];
  const seen = new Map<string, { node: number; ino: number }>();
  for (const path of paths) {
    const node = await nodeAt(first.operations, path);
    seen.set(path, { node, ino: (await settled(() => first.operations.getattr(node))).ino });
  }
  const gauge = first.tree.inodeGauge;
  first.operations.close();

  const second = server(root, store, first.written);
  t.is(second.written.length, first.written.length, 'nothing is given out anew');
  for (const [path, { node, ino }] of [...seen].reverse()) {
    t.is((await settled(() => second.operations.getattr(node))).ino, ino, path);
    t.is(await nodeAt(second.operations, path), node, path);
  }
  t.is(second.tree.inodeGauge, gauge);
  t.is(second.tree.size, 3);
  second.operations.close();
  t.is(store.opened, 0);
});

test('a catalog that the cache has lost is fetched again when one of its nodes is asked for', async (t) => {
  const store = new MemoryStore();
  const root = repository(store);
  const first = server(root, store);
  const node = await nodeAt(first.operations, '/a/d/file');
  first.operations.close();
  store.forgetLocal();
  const second = server(root, store, first.written);
  t.true(thrownBy(() => second.operations.getattr(node)) instanceof Pending);
  t.is((await settled(() => second.operations.getattr(node))).mode, 0o100644);
});

test('catalogs attached by the second server get numbers that the first did not give', async (t) => {
  const store = new MemoryStore();
  const root = repository(store);
  const first = server(root, store);
  const node = await nodeAt(first.operations, '/a/d/file');
  const second = server(root, store, first.written);
  const other = await nodeAt(second.operations, '/b/d/file');
  t.not(Math.floor(other / 2 ** 32), Math.floor(node / 2 ** 32));
  const inodes = [node, other].map((each) => second.operations.getattr(each).ino);
  t.not(inodes[0], inodes[1]);
});

test('a record is there before the node that depends on it is handed out; one that was cut off counts as not there', async (t) => {
  const store = new MemoryStore();
  const root = repository(store);
  const { operations, written, tree } = server(root, store);
  const before = written.length;
  await nodeAt(operations, '/a/d');
  t.is(written.length, before + 1);
  t.is(tree.size, 2);
  const state = replayJournal([...written, written[before].slice(0, -5), '', '{}', '{"kind":"catalog","hash":"x"}']);
  t.is(state?.catalogs.size, 2);
  t.is(state?.highestNumber, 2);
  t.is(replayJournal([]), undefined);
});

test('what cannot be written to the journal is not handed out', async (t) => {
  const store = new MemoryStore();
  const root = repository(store);
  const { operations, tree } = server(root, store);
  let full = false;
  const append = () => {
    if (full) throw new Error('no space');
  };
  const refusing = new CatalogTree({ store, root: openMade(root), report: () => {}, journal: { append } });
  full = true;
  await nodeAt(operations, '/a/one');
  const nested = tree.root.catalog.nested.get('/a')!;
  t.throws(() => refusing.nested('/a', nested, 2, 1), { message: 'no space' });
  t.is(refusing.size, 1);
});

test('the short form of a journal leads to the same state, also of numbers that are not in use any more', async (t) => {
  const store = new MemoryStore();
  const first = server(repository(store), store);
  for (const path of ['/b/d/file', '/a/two', '/a/one']) await nodeAt(first.operations, path);
  const { root, highestNumber } = replayJournal(first.written)!;
  const gone = { kind: 'switch', root, catalogs: [], detached: [highestNumber] } as const;
  const setting = (words: string, argument: string) => encodeRecord({ kind: 'setting', words, argument });
  const settings = [setting('max ttl set', '5'), setting('timeout set', '1 2'), setting('max ttl set', '6')];
  const records = [...first.written, ...settings, encodeRecord(gone)];
  t.is(condenseJournal(records), undefined, 'the kernel was not told yet');
  records.push(encodeRecord({ kind: 'settled', left: [] }));
  const condensed = condenseJournal(records)!;
  const [before, after] = [replayJournal(records)!, replayJournal(condensed)!];
  const plain = (state: typeof before) => ({ ...state, successors: [], catalogs: [...state.catalogs.keys()] });
  t.deepEqual(plain(after), plain(before));
  t.is(after.highestNumber, highestNumber);
  t.deepEqual(
    journalSettings(condensed).map(({ words, argument }) => `${words} ${argument}`),
    ['timeout set 1 2', 'max ttl set 6'],
  );
  t.deepEqual(condenseJournal(condensed), condensed);
  first.operations.close();
});
