import test from 'ava';
import { EIO } from '../../src/filesystem/errno.ts';
import { Errno, Pending, ROOT_NODE } from '../../src/fuse/operations.ts';
import { FLAG_HIDDEN } from '../../src/repository/entry-flags.ts';
import { catalogFile, insertChunk, type MadeCatalog } from '../repository/made-catalog.ts';
import { CALLER, DIRECTORY, errnoOf, list, madeFileSystem, nodeAt, settled, thrownBy } from './made-file-system.ts';
import { MemoryStore } from './memory-store.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);

test('a listing is continued where it stopped, also after it was dropped from memory', (t) => {
  const many = names(100).map((name) => ({ path: `/many/${name}` }));
  const others = names(100).flatMap((name) => [{ path: `/${name}`, mode: DIRECTORY }, { path: `/${name}/in` }]);
  const { operations } = madeFileSystem({ rows: [{ path: '/many', mode: DIRECTORY }, ...many, ...others] });
  const node = operations.lookup(ROOT_NODE, 'many')!.node;
  const dropAll = () => {
    for (const name of names(100)) list(operations, operations.lookup(ROOT_NODE, name)!.node);
  };
  t.deepEqual(list(operations, node, 7, dropAll).sort(), ['.', '..', ...names(100)].sort());
  t.deepEqual(list(operations, node, 1).length, 102);
});

test('hidden entries are not listed but can be entered', (t) => {
  const rows = [
    { path: '/seen' },
    { path: '/.cvmfs', mode: DIRECTORY, flags: 1 | FLAG_HIDDEN },
    { path: '/.cvmfs/in' },
  ];
  const { operations } = madeFileSystem({ rows });
  t.deepEqual(list(operations, ROOT_NODE), ['.', '..', 'seen']);
  const hidden = operations.lookup(ROOT_NODE, '.cvmfs');
  t.deepEqual(list(operations, hidden!.node), ['.', '..', 'in']);
});

test('a name that does not exist is undefined, and "." and ".." lead where they should', async (t) => {
  const rows = [
    { path: '/a', mode: DIRECTORY },
    { path: '/a/b', mode: DIRECTORY },
  ];
  const { operations } = madeFileSystem({ rows });
  const [a, b] = [await nodeAt(operations, '/a'), await nodeAt(operations, '/a/b')];
  t.is(operations.lookup(a, 'x'), undefined);
  t.is(operations.lookup(b, '.')?.node, b);
  t.is(operations.lookup(b, '..')?.node, a);
  t.is(operations.lookup(a, '..')?.node, ROOT_NODE);
  t.is(operations.lookup(ROOT_NODE, '..')?.node, ROOT_NODE);
});

function withNested(nested: MadeCatalog, extra = ''): { root: MadeCatalog; store: MemoryStore } {
  const store = new MemoryStore();
  const file = catalogFile({ properties: { root_prefix: '/nested' }, ...nested });
  const hash = store.add(file);
  const after = `INSERT INTO nested_catalogs VALUES ('/nested', '${hash}', ${file.length});${extra}`;
  return { root: { rows: [{ path: '/nested', mode: DIRECTORY }, { path: '/beside' }], after }, store };
}

test('a nested catalog is fetched when something below it is asked for, once', async (t) => {
  const { root, store } = withNested({ rows: [{ path: '/nested/d', mode: DIRECTORY }, { path: '/nested/d/file' }] });
  const { operations, tree } = madeFileSystem(root, { store });
  const mountpoint = operations.lookup(ROOT_NODE, 'nested')!;
  operations.getattr(mountpoint.node);
  t.deepEqual(store.fetched, []);
  const file = await nodeAt(operations, '/nested/d/file');
  t.deepEqual(store.fetched, ['file catalog at /nested']);
  t.is(tree.size, 2);
  t.is(operations.lookup(await nodeAt(operations, '/nested/d'), '..')?.node, mountpoint.node);
  t.is(operations.lookup(mountpoint.node, '..')?.node, ROOT_NODE);
  const inodes = [mountpoint.attributes.ino, operations.getattr(file).ino, operations.getattr(ROOT_NODE).ino];
  t.is(new Set(inodes).size, 3);
  t.true(Math.max(...inodes) <= tree.inodeGauge);
});

test('a nested catalog that is no catalog is EIO, never ENOENT, and the reason is told', async (t) => {
  const store = new MemoryStore();
  const hash = store.add(Buffer.from('no database'));
  const root = {
    rows: [{ path: '/nested', mode: DIRECTORY }, { path: '/beside' }],
    after: `INSERT INTO nested_catalogs VALUES ('/nested', '${hash}', 11)`,
  };
  const { operations, reports } = madeFileSystem(root, { store });
  const { node } = operations.lookup(ROOT_NODE, 'nested')!;
  await t.throwsAsync(
    settled(() => operations.lookup(node, 'x')),
    { any: true, instanceOf: Errno as never },
  );
  await settled(() => operations.lookup(node, 'x')).catch((thrown) => t.deepEqual(thrown, new Errno(5)));
  t.regex(reports[0], /^cannot use the catalog of \/nested: /);
  t.truthy(operations.lookup(ROOT_NODE, 'beside'));
});

test('a hard link group with a number beyond all bounds is no group, and takes no node of another catalog', (t) => {
  const hardlinks = BigInt.asIntN(64, 0xffff_ffffn * 2n ** 32n + 2n);
  const { operations } = madeFileSystem({
    rows: [
      { path: '/one', hardlinks },
      { path: '/two', hardlinks },
    ],
  });
  const nodes = ['one', 'two'].map((name) => operations.lookup(ROOT_NODE, name)!.node);
  t.not(nodes[0], nodes[1]);
  for (const node of nodes) {
    t.true(node < 2 * 2 ** 32);
    t.is(operations.getattr(node).nlink, 2);
  }
});

test('a row with a negative number is none: it would take a node of the catalog before', (t) => {
  const rows = [{ path: '/directory', mode: DIRECTORY }, { path: '/directory/name', rowid: -5 }, { path: '/beside' }];
  const { operations } = madeFileSystem({ rows });
  const { node } = operations.lookup(ROOT_NODE, 'directory')!;
  t.is(
    errnoOf(() => list(operations, node)),
    EIO,
  );
  t.throws(() => operations.lookup(node, 'name'), { code: 'RANGE' });
  t.deepEqual(list(operations, ROOT_NODE), ['.', '..', 'directory', 'beside']);
});

test('names of a hard link group are one node, in whatever order they are seen', (t) => {
  const hardlinks = 9n * 2n ** 32n + 2n;
  const rows = [{ path: '/one', hardlinks }, { path: '/other' }, { path: '/two', hardlinks }];
  const { operations } = madeFileSystem({ rows });
  const two = operations.lookup(ROOT_NODE, 'two')!;
  const one = operations.lookup(ROOT_NODE, 'one')!;
  t.is(one.node, two.node);
  t.is(one.attributes.ino, two.attributes.ino);
  t.is(operations.getattr(one.node).ino, one.attributes.ino);
  t.not(operations.lookup(ROOT_NODE, 'other')!.node, one.node);
});

test('a chunked file is read across its chunks, and one whose chunks are missing is not read at all', async (t) => {
  const store = new MemoryStore();
  const chunks = ['first ', 'second ', 'third'].map((text) => ({
    hash: store.add(Buffer.from(text)),
    size: text.length,
  }));
  const flags = 4 | 64;
  const after = chunks.map(({ hash, size }, i) => insertChunk('/file', [0, 6, 13][i], size, hash.hex)).join('');
  const rows = [
    { path: '/file', size: 18, flags },
    { path: '/broken', size: 18, flags },
  ];
  const { operations } = madeFileSystem({ rows, after }, { store });
  const target = Buffer.alloc(100);
  const node = await nodeAt(operations, '/file');
  t.is(await settled(() => operations.read(node, 3, target)), 15);
  t.is(target.toString('latin1', 0, 15), 'st second third');
  const broken = await nodeAt(operations, '/broken');
  await t.throwsAsync(
    settled(() => operations.read(broken, 0, target)),
    { message: /do not make up the file/ },
  );
});

test('a damaged row does not keep its neighbours from being read', async (t) => {
  const store = new MemoryStore();
  const rows = names(6).map((name) => ({
    path: `/${name}`,
    size: 4,
    hash: store.add(Buffer.from(`${name}..`)).digest,
  }));
  const damage = "UPDATE catalog SET hash = x'00' WHERE name = 'n3';";
  const { operations } = madeFileSystem({ rows, after: damage }, { store });
  for (const name of ['n0', 'n1', 'n2', 'n4', 'n5']) {
    const node = await nodeAt(operations, name);
    const target = Buffer.alloc(4);
    t.is(await settled(() => operations.read(node, 0, target)), 4, name);
    t.is(target.toString(), `${name}..`);
  }
  const node = await nodeAt(operations, 'n3');
  await t.throwsAsync(
    settled(() => operations.read(node, 0, Buffer.alloc(4))),
    { message: /no valid hash/ },
  );
  t.true(store.prefetched.length > 0, 'files were fetched ahead');
});

test('links expand their variables, with their size; what is no link cannot be read as one', (t) => {
  const rows = [{ path: '/link', mode: 0o120777, symlink: '$(A)/$(B:-none)' }, { path: '/file' }];
  const { operations } = madeFileSystem({ rows }, { variables: { A: 'value' } });
  const link = operations.lookup(ROOT_NODE, 'link')!;
  t.is(Buffer.from(operations.readlink(link.node)).toString(), 'value/none');
  t.is(link.attributes.size, 10);
  t.is(
    errnoOf(() => operations.readlink(operations.lookup(ROOT_NODE, 'file')!.node)),
    22,
  );
});

test('opening is allowed by mode bits, and says what the kernel may keep', (t) => {
  const rows = [{ path: '/open' }, { path: '/shut', mode: 0o100600 }, { path: '/d', mode: 0o40700 }];
  const { operations } = madeFileSystem({ rows });
  const node = (name: string) => operations.lookup(ROOT_NODE, name)!.node;
  t.deepEqual(operations.open(node('open'), 0, CALLER), { keepCache: true });
  t.is(
    errnoOf(() => operations.open(node('shut'), 0, CALLER)),
    13,
  );
  t.is(
    errnoOf(() => operations.opendir(node('d'), CALLER)),
    13,
  );
  t.is(
    errnoOf(() => operations.opendir(node('open'), CALLER)),
    20,
  );
  t.is(
    errnoOf(() => operations.access(node('shut'), 4, CALLER)),
    13,
  );
  t.is(
    errnoOf(() => operations.access(node('open'), 4, CALLER)),
    0,
  );
  t.is(
    errnoOf(() => operations.read(node('d'), 0, Buffer.alloc(1))),
    22,
  );
  t.is(
    errnoOf(() => operations.getattr(2 ** 40)),
    116,
  );
});

test('attributes: the client’s own on the root only in lists, published ones everywhere', (t) => {
  const xattr = Buffer.concat([Buffer.of(1, 1, 6, 3), Buffer.from('user.xabc')]);
  const { operations } = madeFileSystem({ rows: [{ path: '/file', xattr }, { path: '/none' }] });
  const file = operations.lookup(ROOT_NODE, 'file')!.node;
  t.deepEqual(operations.listxattr(file), ['user.x']);
  t.is(Buffer.from(operations.getxattr(file, 'user.x', CALLER)).toString(), 'abc');
  t.is(Buffer.from(operations.getxattr(file, 'user.fqrn', CALLER)).toString(), 'made.example.org');
  t.deepEqual(operations.listxattr(operations.lookup(ROOT_NODE, 'none')!.node), []);
  t.true(operations.listxattr(ROOT_NODE).includes('user.revision'));
  t.is(
    errnoOf(() => operations.getxattr(file, 'user.y', CALLER)),
    61,
  );
});

test('what is waited for is waited for by promise', (t) => {
  const { root, store } = withNested({ rows: [] });
  const { operations } = madeFileSystem(root, { store });
  const { node } = operations.lookup(ROOT_NODE, 'nested')!;
  t.true(thrownBy(() => list(operations, node)) instanceof Pending);
});
