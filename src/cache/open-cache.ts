// From the settings of a cache to the directories behind it.
import { CacheDirectory } from './directory.ts';
import { FetchClaims } from './fetch-claims.ts';
import { Quota } from './quota/quota.ts';
import { quotaDirectory } from './quota/quota-files.ts';
import type { CacheSettings, DirectoryCache, MemoryCache } from './settings.ts';

export interface OpenedCache {
  /** Where objects are stored; undefined: in memory only. */
  readonly directory?: CacheDirectory;
  /** Looked into for what `directory` lacks; gets what is stored unless it is read-only. */
  readonly lower?: CacheDirectory;
  /** Bytes that the objects of a cache in memory may take. */
  readonly memory?: number;
  /** Keeps the accounts of `directory`. */
  readonly quota?: Quota;
  /** Among the processes that use `directory`. */
  readonly claims?: FetchClaims;
}

/**
 * @param warn told once when the limit cannot be kept. One line.
 * @throws CacheError UNUSABLE, FOREIGN
 */
export function openCache(settings: CacheSettings, warn?: (line: string) => void): OpenedCache {
  if (settings.kind !== 'tiered') return openOne(settings, warn);
  const { directory, access } = settings.lower;
  return { ...openOne(settings.upper, warn), lower: CacheDirectory.open(directory, access) };
}

function openOne(settings: DirectoryCache | MemoryCache, warn: ((line: string) => void) | undefined): OpenedCache {
  if (settings.kind === 'ram') return { memory: settings.limit };
  const { directory: path, access, limit, quotaDirectory: place = quotaDirectory(path) } = settings;
  const directory = CacheDirectory.open(path, access);
  if (access !== 'private') return { directory };
  const quota = new Quota({ directory: path, quotaDirectory: place, limit, warn });
  const claims = new FetchClaims(settings.claimsDirectory ?? quota.files.fetching);
  return { directory: directory.withChecksums(quota.checksums), quota, claims };
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
