import test, { type ExecutionContext } from 'ava';
import { CatalogTree } from '../../../src/filesystem/catalog-tree.ts';
import type { RootRecord } from '../../../src/filesystem/node-journal.ts';
import { RepositoryOperations } from '../../../src/filesystem/repository-operations.ts';
import type { Differences } from '../../../src/filesystem/revision/differences.ts';
import { Invalidation } from '../../../src/filesystem/revision/kernel-cache.ts';
import { switchRevision } from '../../../src/filesystem/revision/revision-switch.ts';
import { differencesSince } from '../../../src/filesystem/revision/unsettled.ts';
import { ContentHash } from '../../../src/objects/hash.ts';
import { Catalog } from '../../../src/repository/catalog.ts';
import { FLAG_HIDDEN } from '../../../src/repository/entry-flags.ts';
import { localObject } from '../../repository/fixtures.ts';
import { catalogFile, type MadeCatalog, pathHash } from '../../repository/made-catalog.ts';
import { MADE_FACTS, nodeAt } from '../made-file-system.ts';
import { MemoryStore } from '../memory-store.ts';
import { KernelModel } from './kernel-model.ts';

const DIRECTORY = { mode: 0o40755, flags: 1 };

function serve(t: ExecutionContext, made: MadeCatalog, store = new MemoryStore()) {
  const report = (message: string) => t.fail(message);
  const tree = new CatalogTree({ store, root: catalogOf(made), report });
  const ownership = { worldReadable: false };
  const operations = new RepositoryOperations({ tree, store, facts: MADE_FACTS, ownership, variables: {}, report });
  const switchTo = async (next: MadeCatalog): Promise<Differences> => {
    const catalog = catalogOf(next);
    const record: RootRecord = { kind: 'root', hash: catalog.hash.toString(), fixed: false, alternativePath: false };
    const seen: Differences[] = [];
    await switchRevision(tree, store, { record, catalog }, (differences) => {
      operations.revisionChanged([...differences.vanished.keys()]);
      seen.push(differences);
    });
    return seen[0];
  };
  return { tree, operations, switchTo };
}

function catalogOf(made: MadeCatalog): Catalog {
  const file = catalogFile(made);
  return Catalog.open(localObject(file), ContentHash.of('sha1', file));
}

/** SQL: so many files in the directory `path`. */
function files(path: string, count: number): string {
  const { hi1, lo1, hi2, lo2 } = pathHash(path);
  const [first, second] = [(BigInt(hi1) << 32n) | BigInt(lo1 >>> 0), (BigInt(hi2) << 32n) | BigInt(lo2 >>> 0)];
  return `INSERT INTO catalog (md5path_1, md5path_2, parent_1, parent_2, hardlinks, size, mode, mtime, flags, name, symlink, uid, gid)
    WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ${count})
    SELECT i, i, ${first}, ${second}, 1, 0, ${0o100644}, 1, 4, 'file-' || i, '', 0, 0 FROM number;`;
}

test('a directory of 150,000 files that vanishes while somebody is in it keeps nothing else from being told', async (t) => {
  const large = { path: '/large', ...DIRECTORY };
  const { operations, switchTo, tree } = serve(t, { rows: [large], after: files('/large', 150_000) });
  const kernel = new KernelModel(operations);
  const directory = await kernel.walk('/large');
  const file = await kernel.walk('/large/file-77');
  kernel.open(directory);
  t.is(await kernel.walk('/later'), 0);
  const differences = await switchTo({ rows: [{ path: '/later', ...DIRECTORY }] });
  await new Invalidation(kernel, tree, operations.left, differences).run();
  t.not(await kernel.walk('/later'), 0);
  t.deepEqual(operations.left.nodes, [directory]);
  t.false(kernel.has(file));
});

test('requests have their turn while the kernel is told what became of 50,000 files that it does not have', async (t) => {
  const count = 50_000;
  const large = { path: '/large', ...DIRECTORY };
  for (const [before, after] of [
    [{ rows: [large], after: files('/large', count) }, {}],
    [{ rows: [large] }, { rows: [large], after: files('/large', count) }],
  ]) {
    const { operations, switchTo, tree } = serve(t, before);
    const differences = await switchTo(after);
    let turns = 0;
    let ended = false;
    const takeTurn = () => {
      turns++;
      if (!ended) setImmediate(takeTurn);
    };
    takeTurn();
    await new Invalidation(new KernelModel(operations), tree, operations.left, differences).run();
    ended = true;
    t.true(turns >= count / 1000, `${turns} turns`);
  }
});

test('a catalog that names others for its own directory is refused, and all stays as it is', async (t) => {
  const store = new MemoryStore();
  const nested = (path: string, hash: ContentHash) => `INSERT INTO nested_catalogs VALUES ('${path}', '${hash}', 0);`;
  const below = (text: string, after = '') =>
    store.add(catalogFile({ rows: [{ path: `/nested/${text}` }], properties: { root_prefix: '/nested' }, after }));
  const root = (hash: ContentHash) => ({ rows: [{ path: '/nested', ...DIRECTORY }], after: nested('/nested', hash) });
  const { operations, switchTo } = serve(t, root(below('first')), store);
  const node = await nodeAt(operations, '/nested/first');
  await t.throwsAsync(switchTo(root(below('second', nested('/nested', below('third'))))), {
    code: 'BadCatalog',
    message: 'two catalogs claim the directory /nested',
  });
  t.is(await nodeAt(operations, '/nested/first'), node);
});

test('a directory that became hidden is told in its parent, also by a server that follows one killed before', async (t) => {
  const directory = (name: string, flags = 0) => ({ path: `/${name}`, mode: 0o40755, flags: 1 | flags });
  const { operations, switchTo, tree } = serve(t, {
    rows: [directory('upper'), directory('upper/seen'), directory('upper/hidden', FLAG_HIDDEN)],
  });
  const upper = await nodeAt(operations, '/upper');
  const { vanished, attachments, relisted } = await switchTo({
    rows: [directory('upper'), directory('upper/seen', FLAG_HIDDEN), directory('upper/hidden')],
  });
  t.deepEqual(relisted, [upper]);
  const numbers = attachments.map(({ place }) => place.number);
  t.deepEqual((await differencesSince([...vanished.keys()], numbers, tree)).relisted, [upper]);
});
