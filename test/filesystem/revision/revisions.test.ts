import test from 'ava';
import fc from 'fast-check';
import { CatalogTree } from '../../../src/filesystem/catalog-tree.ts';
import {
  condenseJournal,
  encodeRecord,
  type JournalState,
  type RootRecord,
  replayJournal,
} from '../../../src/filesystem/node-journal.ts';
import { RepositoryOperations } from '../../../src/filesystem/repository-operations.ts';
import type { Differences } from '../../../src/filesystem/revision/differences.ts';
import { forgetUnused, Invalidation } from '../../../src/filesystem/revision/kernel-cache.ts';
import { switchRevision } from '../../../src/filesystem/revision/revision-switch.ts';
import { differencesSince } from '../../../src/filesystem/revision/unsettled.ts';
import { ContentHash } from '../../../src/objects/hash.ts';
import { Catalog } from '../../../src/repository/catalog.ts';
import { chosenCatalogRequest } from '../../../src/repository/root.ts';
import { openObject } from '../../../src/repository/source.ts';
import { MADE_FACTS } from '../made-file-system.ts';
import { MemoryStore } from '../memory-store.ts';
import { KernelModel } from './kernel-model.ts';
import { makeRevision, parentOf, type Thing, type Tree } from './made-revision.ts';

const thing: fc.Arbitrary<Thing> = fc.record({
  kind: fc.constantFrom('directory', 'directory', 'directory', 'file', 'file', 'file', 'file', 'link'),
  text: fc.constantFrom('one', 'two'),
  mode: fc.constantFrom(0o755, 0o755, 0o700),
  mtime: fc.constantFrom(1, 1, 1, 2),
  nested: fc.boolean(),
  group: fc.nat(1),
});
const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
const first = fc.array(fc.tuple(path, thing), { minLength: 40, maxLength: 60 });
/** Rather alterations of what is there than something quite different. */
const change = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(fc.nat(100), fc.option<Thing, null>(thing, { freq: 3, nil: null })) },
  { weight: 3, arbitrary: fc.tuple(fc.nat(100), fc.constantFrom('touch', 'rewrite', 'nest', 'link')) },
  { weight: 2, arbitrary: fc.tuple(path, thing) },
);
const changes = fc.array(change, { minLength: 1, maxLength: 6 });

type Change = [number | string, Thing | null | string];

/** What becomes of an existing thing (by number), or is put at a path. */
function edits(tree: Tree, list: readonly Change[]): [string, Thing | null][] {
  const paths = [...tree.keys()];
  return list.flatMap(([where, what]): [string, Thing | null][] => {
    const at: string | undefined = typeof where === 'string' ? where : paths[where % paths.length];
    if (at === undefined) return [];
    const now = tree.get(at);
    if (typeof what !== 'string') return [[at, what]];
    if (!now) return [];
    if (what === 'touch') return [[at, { ...now, mtime: now.mtime + 1 }]];
    if (what === 'nest') return [[at, { ...now, nested: !now.nested }]];
    if (what === 'link') return [[at, { ...now, group: 1 - now.group }]];
    return [[at, { ...now, text: now.text === 'one' ? 'two' : 'one' }]];
  });
}

/** Puts things where they can be, and removes what is undefined, with all below. */
function edited(tree: Tree, changes: readonly (readonly [string, Thing | null])[]): Tree {
  const next = new Map(tree);
  for (const [where, what] of changes) {
    const parent = parentOf(where);
    if (parent !== '' && next.get(parent)?.kind !== 'directory') continue;
    if (what?.kind !== 'directory')
      for (const each of [...next.keys()]) if (each.startsWith(`${where}/`)) next.delete(each);
    if (what) next.set(where, what);
    else next.delete(where);
  }
  return next;
}

interface World {
  readonly store: MemoryStore;
  readonly tree: CatalogTree;
  readonly operations: RepositoryOperations;
  readonly kernel: KernelModel;
  readonly journal: string[];
}

function mount(store: MemoryStore, root: Catalog): World {
  const record: RootRecord = { kind: 'root', hash: root.hash.toString(), fixed: false, alternativePath: false };
  const journal = [encodeRecord(record)];
  const { tree, operations } = serve(store, root, journal);
  return { store, tree, operations, journal, kernel: new KernelModel(operations) };
}

function serve(store: MemoryStore, root: Catalog, journal: string[], restored?: JournalState) {
  const report = (message: string) => {
    throw new Error(message);
  };
  const append = (record: string) => journal.push(record);
  const tree = new CatalogTree({ store, root, report, journal: { append }, restored });
  const view = { tree, store, facts: MADE_FACTS, ownership: { worldReadable: false }, variables: {}, report };
  return { tree, operations: new RepositoryOperations({ ...view, leftNodes: restored?.left }) };
}

type Fate = 'lives' | 'is killed before the kernel knows' | 'is killed afterwards';

/** The world after the switch; of another server where the one before was killed. */
async function goTo(world: World, catalog: Catalog, fate: Fate): Promise<World> {
  const { tree, store, operations, kernel, journal } = world;
  const record: RootRecord = { kind: 'root', hash: catalog.hash.toString(), fixed: false, alternativePath: false };
  const seen: Differences[] = [];
  await switchRevision(tree, store, { record, catalog }, (differences) => {
    operations.revisionChanged([...differences.vanished.keys()]);
    seen.push(differences);
  });
  if (fate === 'is killed before the kernel knows') return restart(world);
  await new Invalidation(kernel, tree, operations.left, seen[0]).run();
  journal.push(encodeRecord({ kind: 'settled', left: operations.left.settle() }));
  return fate === 'lives' ? world : restart(world);
}

async function restart({ store, kernel, journal }: World): Promise<World> {
  // Whenever it can be made short, both forms must lead to the same.
  const condensed = condenseJournal(journal);
  if (condensed) journal.splice(0, journal.length, ...condensed);
  const state = replayJournal(journal) as JournalState;
  const hash = ContentHash.parse(state.root.hash) as ContentHash;
  const root = Catalog.open(await openObject(store, rootRequest(hash)), hash);
  const { tree, operations } = serve(store, root, journal, state);
  kernel.served(operations);
  const replaced = tree.detached(state.unsettled);
  operations.left.replaced(replaced);
  const differences = await differencesSince(replaced, state.successors, tree);
  await new Invalidation(kernel, tree, operations.left, differences).run();
  journal.push(encodeRecord({ kind: 'settled', left: operations.left.settle() }));
  return { store, kernel, journal, tree, operations };
}

function rootRequest(rootHash: ContentHash) {
  return chosenCatalogRequest({ rootHash, fixed: false, alternativePath: false });
}

/** All that a program sees, through what the kernel keeps. */
async function visible(kernel: KernelModel, at = '', node = 1): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const each of await kernel.list(node)) {
    const child = await kernel.lookup(node, each);
    const where = `${at}/${each}`;
    if (child === 0) {
      found.set(where, 'listed but missing');
      continue;
    }
    const { mode, mtime, size, nlink } = await kernel.stat(child);
    const type = mode >> 12;
    const stat = `${mode.toString(8)} ${mtime}`;
    if (type === 0o04) {
      found.set(where, stat);
      for (const [below, what] of await visible(kernel, where, child)) found.set(below, what);
    } else {
      const text = type === 0o12 ? await kernel.readlink(child) : await kernel.read(child);
      found.set(where, `${stat} ${size} ${nlink} ${text}`);
    }
  }
  return found;
}

const round = fc.record({
  changes,
  /** What was seen of the tree before, as parts of 4. */
  seen: fc.nat(4),
  opened: fc.array(fc.nat(100), { maxLength: 6 }),
  missing: fc.array(path, { maxLength: 6 }),
  order: fc.nat(7),
  fate: fc.constantFrom<Fate>('lives', 'is killed before the kernel knows', 'is killed afterwards'),
});

test('after any switch programs see the new tree and nothing else, open files stay what they were, also when servers are killed', async (t) => {
  await fc.assert(
    fc.asyncProperty(first, fc.array(round, { minLength: 1, maxLength: 3 }), async (initial, rounds) => {
      const store = new MemoryStore();
      let tree = edited(new Map(), initial);
      let world = mount(
        store,
        makeRevision(tree, store, 1, () => 0),
      );
      const { kernel } = world;
      const opened = new Map<number, string>();
      for (const [number, { changes, seen, opened: toOpen, missing, order, fate }] of rounds.entries()) {
        const paths = [...tree.keys()];
        const nodes = new Map<string, number>();
        for (const [i, where] of paths.entries()) if (i % 4 < seen) nodes.set(where, await look(kernel, where));
        for (const where of missing) await kernel.walk(where);
        for (const where of nodes.keys())
          for (const each of ['a', 'b', 'c']) await kernel.walk(`${parentOf(where)}/${each}`);
        if (paths.length > 0) for (const i of toOpen) await openFile(kernel, paths[i % paths.length], opened);

        const next = edited(tree, edits(tree, changes));
        // Publishers number rows as they like.
        const catalog = makeRevision(next, store, number + 2, (where) => (where.length * (order + 1)) % (order + 2));
        const readBefore = kernel.reads;
        world = await goTo(world, catalog, fate);
        for (const [where, node] of nodes) {
          const [before, after] = [tree.get(where)!, next.get(where)];
          if (after?.kind !== before.kind || (before.kind !== 'directory' && !isSame(before, after, where, tree, next)))
            continue;
          t.is(await kernel.walk(where), node, `the node of ${where} is kept`);
          if (before.kind === 'file') await kernel.read(node);
        }
        t.is(kernel.reads, readBefore, 'nothing is read again');
        tree = next;
        const truth = await visible(
          new KernelModel(
            mount(
              store,
              makeRevision(tree, store, 1, () => 0),
            ).operations,
          ),
        );
        t.deepEqual(await visible(kernel), truth);
        for (const [node, text] of opened) {
          kernel.dropPages(node);
          t.is(await kernel.read(node), text);
          t.is((await kernel.stat(node)).size, text.length);
        }
      }
      // When everything is closed again nothing of the old revisions stays.
      for (const node of opened.keys()) kernel.close(node);
      await forgetUnused(kernel, world.operations.left);
      t.deepEqual(world.operations.left.nodes, []);
    }),
    { numRuns: 40 },
  );
});

async function look(kernel: KernelModel, where: string): Promise<number> {
  const node = await kernel.walk(where);
  const type = (await kernel.stat(node)).mode >> 12;
  if (type === 0o04) await kernel.list(node);
  if (type === 0o10) await kernel.read(node);
  return node;
}

/** Opened, and its pages dropped, so that it has to be read again. */
async function openFile(kernel: KernelModel, where: string, opened: Map<number, string>): Promise<void> {
  const node = await kernel.walk(where);
  if (node === 0 || (await kernel.stat(node)).mode >> 12 !== 0o10 || opened.has(node)) return;
  opened.set(node, await kernel.read(node));
  kernel.open(node);
}

/** A file or link of which nothing but attributes changed, no hard link of any other. */
function isSame(before: Thing, after: Thing, where: string, tree: Tree, next: Tree): boolean {
  const alone = (all: Tree, { group }: Thing) =>
    group === 0 || [...all].every(([path, { group: other }]) => path === where || other !== group);
  return before.text === after.text && alone(tree, before) && alone(next, after);
}
