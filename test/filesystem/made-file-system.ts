// The operations over catalogs that a test makes.

import type { OwnershipRules } from '../../src/filesystem/attributes.ts';
import { CatalogTree } from '../../src/filesystem/catalog-tree.ts';
import { Directories } from '../../src/filesystem/directory.ts';
import type { MountFacts, NetworkFacts } from '../../src/filesystem/mount-facts.ts';
import { RepositoryOperations } from '../../src/filesystem/repository-operations.ts';
import { DEFAULT_RULES } from '../../src/filesystem/xattrs/access-rules.ts';
import { Errno, type Operations, Pending } from '../../src/fuse/operations.ts';
import { type MadeCatalog, openMade } from '../repository/made-catalog.ts';
import { MemoryStore } from './memory-store.ts';

export const CALLER = { uid: 1000, gid: 1000, pid: 0 };
export const DIRECTORY = 0o40755;

export const MADE_NETWORK: NetworkFacts = {
  server: () => 'http://b/made.example.org',
  servers: () => ['http://b/made.example.org', 'http://a/made.example.org'],
  proxy: () => 'http://proxy:3128',
  proxies: () => ['http://proxy:3128', 'http://other:3128', 'DIRECT'],
  timeouts: () => ({ proxied: 5, direct: 10 }),
  transfers: () => ({ downloads: 3, bytes: 3 * 1024 * 1024, milliseconds: 1500 }),
};

export const MADE_FACTS: MountFacts = {
  fqrn: 'made.example.org',
  mountedAt: 0,
  tag: '',
  masterKeys: [],
  expires: () => undefined,
  network: MADE_NETWORK,
  external: undefined,
  cache: () => ({ requests: 8, misses: 3 }),
  requests: () => ({
    opens: 4,
    directoryOpens: 2,
    ioErrors: 1,
    lastIoError: 1_700_000_000,
    openFiles: 5,
    openDirectories: 0,
    maxFiles: 1024,
  }),
  lastMessages: () => '',
  isOnline: async () => true,
  manifest: () => Promise.reject(new Error('no server')),
};

export interface Made {
  readonly store: MemoryStore;
  readonly tree: CatalogTree;
  readonly directories: Directories;
  readonly operations: RepositoryOperations;
  readonly reports: string[];
}

export function madeFileSystem(
  root: MadeCatalog,
  {
    store = new MemoryStore(),
    ownership = { worldReadable: false } as OwnershipRules,
    variables = {},
    rules = DEFAULT_RULES,
    facts: changes = {} as Partial<MountFacts>,
  } = {},
): Made {
  const reports: string[] = [];
  const report = (message: string) => reports.push(message);
  const tree = new CatalogTree({ store, root: openMade(root), report });
  const facts = { ...MADE_FACTS, ...changes };
  const operations = new RepositoryOperations({
    tree,
    store,
    facts,
    attributeRules: rules,
    ownership,
    variables,
    report,
  });
  return { store, tree, directories: new Directories(tree), operations, reports };
}

/** The node of a path; fetches what that needs. */
export async function nodeAt(operations: Operations, path: string): Promise<number> {
  let node = 1;
  for (const name of path.split('/').filter(Boolean)) {
    const entry = await settled(() => operations.lookup(node, name, CALLER));
    if (!entry) throw new Error(`there is no ${name}`);
    node = entry.node;
  }
  return node;
}

/** Runs an operation as the session does: again whenever what it waited for has come. Bounded. */
export async function settled<T>(operation: () => T): Promise<T> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return operation();
    } catch (thrown) {
      if (!(thrown instanceof Pending)) throw thrown;
      await thrown.ready;
    }
  }
  throw new Error('still not ready');
}

/** The names of a directory, `page` at a time. */
export function list(operations: Operations, node: number, page = 1000, between = () => {}): string[] {
  const names: string[] = [];
  let next = 0;
  for (let full = true; full; ) {
    let room = page;
    full = false;
    operations.readdir(
      node,
      next,
      {
        add(name, _entry, following) {
          if (room-- === 0) {
            full = true;
            return false;
          }
          names.push(name);
          next = following;
          return true;
        },
      },
      CALLER,
    );
    between();
  }
  return names;
}

/** Operations throw what is no Error. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

/** 0 when nothing is thrown. */
export function errnoOf(action: () => unknown): unknown {
  const thrown = thrownBy(action);
  return thrown instanceof Errno ? thrown.errno : (thrown ?? 0);
}
