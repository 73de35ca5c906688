// Which root catalog to use, given what is known locally and what the server says: a repository never goes back, and
// without a server the last known revision is used. Pure functions (client.md §1.8).
import type { ContentHash } from '../objects/hash.ts';
import type { Breadcrumb } from './breadcrumb.ts';
import type { Manifest } from './manifest.ts';

/** The root catalog of a running mount. */
export interface MountedRoot {
  readonly rootHash: ContentHash;
  /** Property of the catalog, seconds since 1970. */
  readonly lastModified: number;
  readonly revision: number;
}

export interface LocalRoot {
  readonly rootHash: ContentHash;
  /** Seconds since 1970; a manifest may not be older. */
  readonly timestamp: number;
  readonly revision: number;
  /** It is the one that is mounted. */
  readonly mounted: boolean;
}

/** The newest revision known on this side; undefined when none is. */
export function localRoot(breadcrumb: Breadcrumb | undefined, mounted?: MountedRoot): LocalRoot | undefined {
  if (mounted) {
    const { rootHash, lastModified, revision } = mounted;
    if (!breadcrumb || breadcrumb.revision <= revision) {
      // A breadcrumb without revision from before the mounted catalog is such a case, too.
      return { rootHash, timestamp: Math.max(lastModified, breadcrumb?.timestamp ?? 0), revision, mounted: true };
    }
  }
  return breadcrumb && { ...breadcrumb, mounted: mounted?.rootHash.equals(breadcrumb.rootHash) ?? false };
}

export interface RootDecision {
  readonly from: 'server' | 'local';
  /** The server has not confirmed that this is its newest revision. */
  readonly offline: boolean;
}

/**
 * @param served the verified manifest, if there is one
 * @returns undefined when there is nothing to use
 */
export function decideRoot(local: LocalRoot | undefined, served: Manifest | undefined): RootDecision | undefined {
  if (served && (!local || served.revision > local.revision || (served.revision === 0 && local.revision === 0))) {
    return { from: 'server', offline: false };
  }
  return local && { from: 'local', offline: served?.revision !== local.revision };
}
