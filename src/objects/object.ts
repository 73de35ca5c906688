// What has to be known of a content-addressed object to fetch, verify and store it (client.md §2.3 to §2.6).
import type { ContentHash } from './hash.ts';

/** Type letter at the end of an object's URL; '' is a whole file, P a chunk. Not part of its identity. */
export type ObjectLetter = '' | 'C' | 'H' | 'X' | 'M' | 'P';

export type Compression = 'zlib' | 'none';

export interface ObjectRequest {
  readonly hash: ContentHash;
  readonly letter: ObjectLetter;
  readonly compression: Compression;
  /** Uncompressed size in bytes where it is known; anything else is an error then. */
  readonly size?: number;
  /** Path in the repository or a description, for logs and the quota list. */
  readonly label: string;
  /** Fetched by path from CVMFS_EXTERNAL_URL, as a byte range when `offset` is given (client.md §5.8). */
  readonly external?: { readonly path: string; readonly offset?: number; readonly length?: number };
  /** Fetched from `.cvmfsalt-<hash>` instead of `data/` (client.md §1.10). */
  readonly alternativePath?: boolean;
}

/** Path below a server's repository URL, with a leading slash (client.md §1.1, §2.4). */
export function objectPath(object: Pick<ObjectRequest, 'hash' | 'letter' | 'alternativePath'>): string {
  if (object.alternativePath) return `/.cvmfsalt-${object.hash}${object.letter}`;
  return `/data/${object.hash.hex.slice(0, 2)}/${object.hash.tail}${object.letter}`;
}

/**
 * An object that is local: a file of the cache or, when it could not be stored, bytes in memory.
 * Content is the uncompressed object. Reading never blocks on the network.
 */
export interface LocalObject {
  /** Uncompressed size in bytes. */
  readonly size: number;
  /** Its bytes take memory for as long as it is open. */
  readonly inMemory?: boolean;
  /** Like pread: copies up to `length` bytes from `position` into `target` at `offset`; returns the bytes copied, 0 at the end. */
  read(target: Uint8Array, offset: number, length: number, position: number): number;
  /** Gives the descriptor back. Reading afterwards is an error. */
  close(): void;
}

/** Where objects come from: the cache first, then the network. Shared by everything that reads a repository. */
export interface ObjectStore {
  /**
   * The object if it is local, synchronously; undefined if it has to be fetched. The caller closes it.
   * Where `size` is given, a local copy of another size is damaged: it is thrown away.
   * `forLong`: it stays open, and so had better be a file than take memory, if it can be stored.
   */
  open(hash: ContentHash, size?: number, forLong?: boolean): LocalObject | undefined;
  /** Makes the object local, verified; one download however many ask. Rejects with a reason fit for a log. */
  fetch(request: ObjectRequest): Promise<void>;
  /** Like fetch, with less urgency, and its failure is nobody's. */
  prefetch(request: ObjectRequest): void;
}
