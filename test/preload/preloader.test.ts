// The walk through catalogs and what is made of it, over catalogs that the tests make and a store in memory.
import test from 'ava';
import { CacheError } from '../../src/cache/errors.ts';
import type { ObjectRequest } from '../../src/objects/object.ts';
import { Dirtab } from '../../src/preload/dirtab.ts';
import { PathTree } from '../../src/preload/path-tree.ts';
import { Preloader } from '../../src/preload/preloader.ts';
import { FLAG_CHUNKED, FLAG_HIDDEN } from '../../src/repository/entry-flags.ts';
import { MemoryStore } from '../filesystem/memory-store.ts';
import { catalogFile, insertChunk, type MadeCatalog, type MadeRow } from '../repository/made-catalog.ts';

const DIRECTORY = 0o40755;
const directory = (path: string, more = {}): MadeRow => ({ path, mode: DIRECTORY, flags: 1, ...more });

class Store extends MemoryStore {
  readonly kept: string[] = [];
  has({ hash, size }: ObjectRequest): boolean {
    const object = this.open(hash, size);
    object?.close();
    return object !== undefined;
  }
  async keep(request: ObjectRequest): Promise<void> {
    await this.fetch(request);
    this.kept.push(request.label);
  }
  file(path: string, content = path): MadeRow {
    const bytes = Buffer.from(content);
    return { path, hash: this.add(bytes).digest, size: bytes.length };
  }
}

function preloaderOf(store: Store, root: MadeCatalog, jobs = 4): Preloader {
  const hash = store.add(catalogFile(root));
  return new Preloader({
    store,
    rootCatalog: { hash, letter: 'C', compression: 'zlib', label: 'root file catalog' },
    jobs,
  });
}

const everything = () => Dirtab.parse('/', 'test').guide;
const nested = (path: string, hash: unknown, size: number) =>
  `INSERT INTO nested_catalogs VALUES ('${path}', '${hash}', ${size});`;

test('each object is counted and fetched once, whatever its names are', async (t) => {
  const store = new Store();
  const rows = [store.file('/a', 'same'), store.file('/b', 'same'), store.file('/c')];
  const preloader = preloaderOf(store, { rows });
  await preloader.plan(everything());
  t.like(preloader.progress, { catalogs: 1, objects: 3, missing: 3, fetched: 1 });
  t.deepEqual(store.kept, ['root file catalog'], 'nothing but catalogs yet');
  await preloader.fetch(everything());
  t.is(preloader.progress.fetched, 3);
  t.is(store.kept.length, 3);
  t.is(store.opened, 0, 'every catalog was closed');
});

test('a nested catalog that cannot be had is a failure with its path, and the rest is loaded', async (t) => {
  const store = new Store();
  const catalog = catalogFile({ properties: { root_prefix: '/good' }, rows: [store.file('/good/file')] });
  const after = [
    nested('/good', store.add(catalog), catalog.length),
    nested('/lost', 'ee'.repeat(20), 4096),
    nested('/broken', store.add(Buffer.from('no catalog')), 10),
    nested('/null', '00'.repeat(20), 0),
  ].join('');
  const rows = ['/good', '/lost', '/broken', '/null'].map((path) => directory(path));
  const preloader = preloaderOf(store, { rows, after });
  await preloader.plan(everything());
  await preloader.fetch(everything());
  t.true(store.kept.includes('/good/file'));
  t.deepEqual(preloader.failures.map(({ path }) => path).sort(), ['/broken', '/lost', '/null']);
  t.is(preloader.failed, 3, 'counted once, though there are two runs');
});

test('of a chunked file the recorded pieces are fetched, and those only', async (t) => {
  const store = new Store();
  const pieces = ['aaaa', 'bbbb', 'cccc'].map((text) => store.add(Buffer.from(text)));
  const after = pieces.map(({ hex }, i) => insertChunk('/large', i * 4, 4, hex)).join('');
  const rows = [{ path: '/large', size: 12, flags: 4 | FLAG_CHUNKED }];
  const preloader = preloaderOf(store, { rows, after });
  const place = { repository: 'r', path: '/large', hash: 'h' };
  const { guide } = PathTree.ofRecord([{ type: 'file', ...place, offset: 5, size: 2 }], 'r');
  await preloader.plan(guide);
  t.like(preloader.progress, { objects: 2, bytes: preloader.progress.bytes });
  await preloader.fetch(guide);
  t.true(store.has({ hash: pieces[1] } as ObjectRequest));
  t.false(store.has({ hash: pieces[0] } as ObjectRequest) || store.has({ hash: pieces[2] } as ObjectRequest));
});

test('what is hidden, such as all snapshots, comes only when it is named', async (t) => {
  const store = new Store();
  const snapshot = catalogFile({ rows: [store.file('/old')] });
  const after = `INSERT INTO bind_mountpoints VALUES ('/.cvmfs/v1', '${store.add(snapshot)}', ${snapshot.length});`;
  const rows = [directory('/.cvmfs', { flags: 1 | FLAG_HIDDEN }), directory('/.cvmfs/v1'), store.file('/new')];
  const without = preloaderOf(store, { rows, after });
  await without.plan(everything());
  t.like(without.progress, { catalogs: 1, objects: 2 });
  const named = preloaderOf(store, { rows, after });
  await named.plan(Dirtab.parse('/.cvmfs/v1', 'test').guide);
  await named.fetch(Dirtab.parse('/.cvmfs/v1', 'test').guide);
  t.is(named.progress.catalogs, 2);
  t.true(store.kept.includes('/.cvmfs/v1/old'));
  t.false(store.kept.includes('/new'));
});

test('what a record names and is not there any more is told', async (t) => {
  const store = new Store();
  const preloader = preloaderOf(store, { rows: [directory('/d'), store.file('/d/file')] });
  const files = ['/d/file', '/d/gone', '/gone/file'].map(
    (path) => ({ type: 'file', repository: 'r', path, hash: 'h' }) as const,
  );
  const { guide } = PathTree.ofRecord(files, 'r');
  await preloader.plan(guide);
  await preloader.fetch(guide);
  t.deepEqual(preloader.absent.sort(), ['/d/gone', '/gone']);
  t.true(store.kept.includes('/d/file'));
  t.is(preloader.failed, 0);
});

test('damaged rows and files without content are failures, and the walk goes on', async (t) => {
  const store = new Store();
  const rows = [
    { path: '/no-content', size: 5 },
    directory('/damaged'),
    { path: '/damaged/file', size: -1 },
    store.file('/good'),
  ];
  const preloader = preloaderOf(store, { rows });
  await preloader.plan(everything());
  await preloader.fetch(everything());
  t.deepEqual(preloader.failures.map(({ path }) => path).sort(), ['/damaged', '/no-content']);
  t.true(store.kept.includes('/good'));
});

test('servers that deliver nothing any more, and a full disk, end it', async (t) => {
  const lost = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      path: `/f${i}`,
      hash: Buffer.alloc(20, i + 1),
      size: 5,
    }));
  const gone = preloaderOf(new Store(), { rows: lost(200) });
  await gone.plan(everything());
  await t.throwsAsync(gone.fetch(everything()), { code: 'GIVEN_UP' });
  t.true(gone.failed < 60);

  const store = new Store();
  const full = preloaderOf(store, { rows: [store.file('/a'), store.file('/b'), store.file('/c')] }, 1);
  await full.plan(everything());
  store.keep = async () => {
    throw new CacheError('NOT_STORED', 'no space left');
  };
  await t.throwsAsync(full.fetch(everything()), { code: 'NOT_STORED' });
  t.is(full.failed, 0);
});

test('a run can be stopped', async (t) => {
  const store = new Store();
  const preloader = preloaderOf(store, { rows: [store.file('/a'), store.file('/b'), store.file('/c')] }, 1);
  await preloader.plan(everything());
  const keep = store.keep.bind(store);
  store.keep = (request) => {
    preloader.stop(new Error('enough'));
    return keep(request);
  };
  await t.throwsAsync(preloader.fetch(everything()), { message: 'enough' });
  t.is(preloader.progress.fetched, 2, 'the catalog, and the one that was under way');
});
