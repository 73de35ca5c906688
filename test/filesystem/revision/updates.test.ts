import test from 'ava';
import { CatalogTree } from '../../../src/filesystem/catalog-tree.ts';
import { EIO } from '../../../src/filesystem/errno.ts';
import type { RepositorySettings } from '../../../src/filesystem/mounted-repository.ts';
import { type CatalogRecord, decodeRecord } from '../../../src/filesystem/node-journal.ts';
import { RepositoryOperations } from '../../../src/filesystem/repository-operations.ts';
import { type UpdateParts, Updates } from '../../../src/filesystem/revision/updates.ts';
import { parseBlacklist } from '../../../src/repository/blacklist.ts';
import type { Catalog } from '../../../src/repository/catalog.ts';
import { errnoOf, MADE_FACTS } from '../made-file-system.ts';
import { MemoryStore } from '../memory-store.ts';
import { KernelModel } from './kernel-model.ts';
import { makeRevision, type Thing } from './made-revision.ts';

const FILE: Thing = { kind: 'file', text: 'one', mode: 0o644, mtime: 1, nested: false, group: 0 };

/** A kernel that takes its time. */
class SlowKernel extends KernelModel {
  gate: Promise<void> = Promise.resolve();

  override async invalidateInode(...words: Parameters<KernelModel['invalidateInode']>) {
    await this.gate;
    return super.invalidateInode(...words);
  }
}

interface Made {
  readonly updates: Updates;
  readonly tree: CatalogTree;
  readonly operations: RepositoryOperations;
  readonly kernel: SlowKernel;
  /** Root catalogs of the revisions. */
  readonly roots: readonly Catalog[];
  readonly journal: string[];
  readonly reports: string[];
}

/** The first of revisions whose file `/file` has these texts, mounted. */
function mountedRevisions(
  texts: readonly string[],
  more: Partial<RepositorySettings> = {},
  unsettled: readonly CatalogRecord[] = [],
): Made {
  const store = new MemoryStore();
  const roots = texts.map((text, i) => makeRevision(new Map([['/file', { ...FILE, text }]]), store, i + 1, () => 0));
  const [root] = roots;
  const journal: string[] = [];
  const append = (record: string) => void journal.push(record);
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);
  const tree = new CatalogTree({ store, root, report, journal: { append } });
  const ownership = { worldReadable: false };
  const operations = new RepositoryOperations({ tree, store, facts: MADE_FACTS, ownership, variables: {}, report });
  const settings = { fqrn: 'made.example.org', report, journal: { append, records: [] }, ...more };
  const notes = { breadcrumb: () => ({ rootHash: root.hash, timestamp: 1, revision: 1 }), confirmedAt: 0 };
  const source = { file: () => Promise.reject(new Error('no server')) };
  const parts = { tree, operations, store, notes, settings, source, entered: () => {} };
  const left = { catalogs: tree.detached(unsettled), numbers: [] };
  const all = { ...parts, unsettled: unsettled.length > 0 ? left : undefined } as unknown as UpdateParts;
  const updates = new Updates(all, { rootHash: root.hash, fixed: false, alternativePath: false });
  const kernel = new SlowKernel(operations);
  return { updates, tree, operations, kernel, roots, journal, reports };
}

test('of those who go over to another revision at once one waits for the other', async (t) => {
  const made = mountedRevisions(['one', 'two', 'three', 'four'], { autoUpdate: false });
  const { updates, tree, kernel, roots, journal, reports } = made;
  const { promise, resolve: open } = Promise.withResolvers<void>();
  kernel.gate = promise;
  updates.start(kernel);
  await kernel.walk('/file');

  const first = updates.switchTo(roots[1].hash);
  while (tree.root.hash.equals(roots[0].hash)) await new Promise((resolve) => setImmediate(resolve));
  const others = [updates.switchTo(roots[2].hash), updates.closeNestedCatalogs(), updates.switchTo(roots[3].hash)];
  open();
  t.true(await first);
  t.deepEqual(await Promise.all(others), [true, undefined, true]);
  t.is(await kernel.read(await kernel.walk('/file')), 'four');
  const switches = journal.map(decodeRecord).flatMap((record) => (record?.kind === 'switch' ? [record] : []));
  t.deepEqual(
    switches.map(({ detached, catalogs }) => [...detached, ...catalogs.map(({ number }) => number)]),
    [
      [1, 2],
      [2, 3],
      [3, 4],
    ],
  );
  t.deepEqual(reports, []);
});

test('a kernel that cannot be told of a withdrawn revision is reported, and updates go on', async (t) => {
  const blacklist = parseBlacklist('<made.example.org 2');
  const { updates, operations, kernel, reports } = mountedRevisions(['one'], { readBlacklist: () => blacklist });
  t.teardown(() => updates.close());
  kernel.gate = Promise.reject(new Error('the kernel refused it'));
  kernel.gate.catch(() => {});
  updates.start(kernel);
  for (let again = 0; again < 2; again++) t.is(await updates.remount(), 'failed');
  t.truthy(operations.withdrawn);
  t.is(reports.at(-1), 'the kernel may show old names: the kernel refused it');
});

test('a withdrawn revision is not read any more even where its root directory cannot be listed', async (t) => {
  const blacklist = parseBlacklist('<made.example.org 2');
  const { updates, operations, kernel, roots, reports } = mountedRevisions(['one'], { readBlacklist: () => blacklist });
  t.teardown(() => updates.close());
  updates.start(kernel);
  // As a damaged one.
  roots[0].close();
  t.is(await updates.remount(), 'failed');
  t.is(
    errnoOf(() => operations.lookup(1, 'file')),
    EIO,
  );
  t.regex(reports.at(-1) ?? '', /^the kernel may show old names: /);
});

test('a server that follows one killed in a switch says why it cannot tell the kernel what differs', async (t) => {
  const place = { number: 7, mountpoint: '/gone', mountNode: 70, parentNode: 1, inodeGauge: 0 };
  const nodes = { number: 7, inodeOffset: 300 };
  // A null hash is that of no catalog.
  const record: CatalogRecord = { kind: 'catalog', ...place, nodes, hash: '0'.repeat(40), size: 0 };
  const { updates, kernel, reports } = mountedRevisions(['one'], { autoUpdate: false }, [record]);
  updates.start(kernel);
  await updates.closeNestedCatalogs();
  t.deepEqual(reports, [
    'cannot use the catalog of /gone: its parent catalog names no hash for it',
    'the kernel may show old names: a catalog that is or was mounted cannot be read',
  ]);
});
