// The kinds of cache there are, as values (client.md §6).

/** A directory of objects. */
export interface DirectoryCache {
  readonly kind: 'posix';
  readonly directory: string;
  /**
   * 'private': of one user, 0700, its size limited. 'alien': shared with other users and machines, modes of the group, no
   * limit (client.md §6.5). 'read-only': nothing is stored in it.
   */
  readonly access: 'private' | 'alien' | 'read-only';
  /** Bytes; undefined: not limited. */
  readonly limit?: number;
  /**
   * Where accounts of its size are kept: on a local file system, as they need locks. Default: in the directory itself. Private
   * caches only.
   */
  readonly quotaDirectory?: string;
  /**
   * Where processes say what they are fetching (fetch-claims.ts): best in memory, for on a disk that costs as much as storing
   * the object. Default: with the accounts. Private caches only.
   */
  readonly claimsDirectory?: string;
}

/** Memory of the process only. */
export interface MemoryCache {
  readonly kind: 'ram';
  /** Bytes. */
  readonly limit: number;
}

/** What is not in `upper` is looked for in `lower`, and copied up (client.md §6.6). */
export interface TieredCache {
  readonly kind: 'tiered';
  readonly upper: DirectoryCache | MemoryCache;
  readonly lower: DirectoryCache;
}

export type CacheSettings = DirectoryCache | MemoryCache | TieredCache;
