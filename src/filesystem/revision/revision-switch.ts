// Going over to a new revision under a running mount. Everything that may fail or take long is done before: the catalogs
// are fetched, verified and compared while the old revision is served. The change itself is one step between two requests.
import type { ObjectStore } from '../../objects/object.ts';
import type { Catalog } from '../../repository/catalog.ts';
import { RepositoryError } from '../../repository/errors.ts';
import { openCatalog } from '../../repository/open-catalog.ts';
import { type CatalogTree, catalogRequest } from '../catalog-tree.ts';
import type { RootRecord } from '../node-journal.ts';
import { compareRevisions, type Differences } from './differences.ts';
import { type MissingCatalog, planSuccession, type Succession } from './succession.ts';
import { turn } from './turns.ts';
import { whenOpen } from './when-open.ts';

/**
 * Resolves when the tree is in the new revision; `changed` is called in the same step, with what is different. When it
 * rejects, all is as before. `root` is taken over.
 */
export async function switchRevision(
  tree: CatalogTree,
  store: ObjectStore,
  root: { readonly record: RootRecord; readonly catalog: Catalog },
  changed: (differences: Differences) => void,
): Promise<void> {
  const opened = new Map([['', root.catalog]]);
  let used: ReadonlySet<Catalog> = new Set();
  try {
    const { succession, thaw } = await freeze(tree, store, opened);
    try {
      const differences = await inSlices(compareRevisions(succession, tree.supply));
      tree.replace(root.record, differences);
      used = new Set(succession.successors.map(({ catalog }) => catalog));
      changed(differences);
    } finally {
      thaw();
    }
  } finally {
    for (const catalog of opened.values()) if (!used.has(catalog)) catalog.close();
  }
}

/** The catalogs that are attached then, with what follows them; more cannot come before `thaw`. */
interface Frozen {
  readonly succession: Succession;
  readonly thaw: () => void;
}

async function freeze(tree: CatalogTree, store: ObjectStore, opened: Map<string, Catalog>): Promise<Frozen> {
  for (;;) {
    const outcome = await whenOpen(() => freezeIfAllIsOpen(tree, opened));
    if ('thaw' in outcome) return outcome;
    // It would never come to an end.
    const contested = outcome.missing.find(({ path }) => opened.has(path));
    if (contested) throw new RepositoryError('BadCatalog', `two catalogs claim the directory ${contested.path || '/'}`);
    const missing = outcome.missing.map(
      async ({ nested, path }) => [path, await openCatalog(store, catalogRequest(nested, path))] as const,
    );
    const arrived = await Promise.allSettled(missing);
    for (const one of arrived) if (one.status === 'fulfilled') opened.set(...one.value);
    for (const one of arrived) if (one.status === 'rejected') throw one.reason;
  }
}

function freezeIfAllIsOpen(
  tree: CatalogTree,
  opened: ReadonlyMap<string, Catalog>,
): Frozen | { readonly missing: readonly MissingCatalog[] } {
  const outcome = planSuccession(tree.attachments, opened);
  if ('missing' in outcome) return outcome;
  // After a restart they are not all open.
  for (const attached of outcome.replaced) void attached.catalog;
  const { promise, resolve: thaw } = Promise.withResolvers<void>();
  tree.freeze(promise);
  return { succession: outcome, thaw };
}

/** Requests have their turn between the steps. */
async function inSlices<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await turn();
  }
}
