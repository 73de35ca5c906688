import test from 'ava';
import { CatalogTree } from '../../../src/filesystem/catalog-tree.ts';
import { decodeRecord } from '../../../src/filesystem/node-journal.ts';
import { RepositoryOperations } from '../../../src/filesystem/repository-operations.ts';
import { type UpdateParts, Updates } from '../../../src/filesystem/revision/updates.ts';
import { MADE_FACTS } from '../made-file-system.ts';
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

test('of those who go over to another revision at once one waits for the other', async (t) => {
  const store = new MemoryStore();
  const [root, second, third, fourth] = ['one', 'two', 'three', 'four'].map((text, i) =>
    makeRevision(new Map([['/file', { ...FILE, text }]]), store, i + 1, () => 0),
  );
  const journal: string[] = [];
  const append = (record: string) => void journal.push(record);
  const report = (message: string) => t.fail(message);
  const tree = new CatalogTree({ store, root, report, journal: { append } });
  const ownership = { worldReadable: false };
  const operations = new RepositoryOperations({ tree, store, facts: MADE_FACTS, ownership, variables: {}, report });
  const settings = { fqrn: 'made.example.org', autoUpdate: false, report, journal: { append, records: [] } };
  const parts = { tree, operations, store, settings, entered: () => {} } as unknown as UpdateParts;
  const updates = new Updates(parts, { rootHash: root.hash, fixed: true, alternativePath: false });
  const kernel = new SlowKernel(operations);
  const { promise, resolve: open } = Promise.withResolvers<void>();
  kernel.gate = promise;
  updates.start(kernel);
  await kernel.walk('/file');

  const first = updates.switchTo(second.hash);
  while (tree.root.hash.equals(root.hash)) await new Promise((resolve) => setImmediate(resolve));
  const others = [updates.switchTo(third.hash), updates.closeNestedCatalogs(), updates.switchTo(fourth.hash)];
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
});
