// From the settings of a cache to the directories behind it.
import { CacheDirectory } from './directory.ts';
import type { CacheSettings, DirectoryCache, MemoryCache } from './settings.ts';

export interface OpenedCache {
  /** Where objects are stored; undefined: in memory only. */
  readonly directory?: CacheDirectory;
  /** Looked into for what `directory` lacks; gets what is stored unless it is read-only. */
  readonly lower?: CacheDirectory;
  /** Bytes that the objects of a cache in memory may take. */
  readonly memory?: number;
}

/** @throws CacheError UNUSABLE, FOREIGN */
export function openCache(settings: CacheSettings): OpenedCache {
  if (settings.kind !== 'tiered') return openOne(settings);
  return { ...openOne(settings.upper), lower: openDirectory(settings.lower) };
}

function openOne(settings: DirectoryCache | MemoryCache): OpenedCache {
  return settings.kind === 'ram' ? { memory: settings.limit } : { directory: openDirectory(settings) };
}

function openDirectory({ directory, access }: DirectoryCache): CacheDirectory {
  return CacheDirectory.open(directory, access);
}

/** Where the root catalog of a repository is noted. `workspace`: the user's own directory on this node. */
export function noteDirectories(workspace: string, { directory, lower }: OpenedCache) {
  const caches = [directory, lower].filter((cache) => cache !== undefined);
  const breadcrumbs = new Set([workspace, ...caches.map(({ path }) => path)]);
  const readOnly = new Set(caches.filter((cache) => cache.readOnly).map(({ path }) => path));
  return {
    workspace,
    breadcrumbs: [...breadcrumbs],
    writable: [...breadcrumbs].filter((path) => path === workspace || !readOnly.has(path)),
  };
}
