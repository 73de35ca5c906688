// What a mount without network (`--offline`) can start from: the revision that the cache's breadcrumb names, or a root
// catalog named by its hash. Nothing is verified again: whitelist and manifest are not in a cache, and the reference
// client believes its breadcrumb in the same way when no server answers (client.md §1.8).
import { ContentHash } from '../objects/hash.ts';
import type { Breadcrumb } from '../repository/breadcrumb.ts';
import { RepositoryError } from '../repository/errors.ts';

interface Wanted {
  readonly fqrn: string;
  readonly cacheDirectory: string;
  readonly fixedRoot?: string;
  readonly tag?: string;
  readonly date?: string;
}

/** @throws RepositoryError Load, NoHistory: why this cannot be mounted without network, and what to do */
export function checkOfflineStart(wanted: Wanted, breadcrumb: Breadcrumb | undefined): void {
  const { fqrn, cacheDirectory, fixedRoot, tag, date } = wanted;
  if (ContentHash.parse(fixedRoot ?? '')) return;
  if (tag !== undefined || date !== undefined) {
    throw new RepositoryError(
      'NoHistory',
      'tags and dates are looked up on the servers, and this is --offline: set CVMFS_ROOT_HASH to the hash that cvmfsexec preload prints',
    );
  }
  if (breadcrumb) return;
  throw new RepositoryError(
    'Load',
    `the cache ${cacheDirectory} holds no revision of ${fqrn}, and this is --offline: fill it with 'cvmfsexec preload'`,
  );
}
