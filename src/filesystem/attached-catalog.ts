// A catalog in its place in the tree. The same catalog file may be attached at several places (snapshots), each with a
// number of its own: two directories must never share a node id.
import type { Catalog, NestedCatalog } from '../repository/catalog.ts';

export interface AttachedCatalog {
  readonly catalog: Catalog;
  readonly number: number;
  /** Path of the directory it is attached to, '' for the root catalog. */
  readonly mountpoint: string;
  /** Node id of that directory, whose row is in the parent catalog. */
  readonly mountNode: number;
  /** Node id of the directory above it. */
  readonly parentNode: number;
  /** st_ino of a row is the row plus this (client.md §5.2). */
  readonly inodeOffset: number;
  /** First row seen of each hard link group: stands for all of them. */
  readonly groupRows: Map<number, number>;
}

/** Path as the catalog's tables spell it (client.md §3.5): differs from the mounted one below bind mountpoints only. */
export function databasePath(attached: AttachedCatalog, path: string): string {
  const { mountpoint, catalog } = attached;
  if (mountpoint === catalog.rootPrefix) return path;
  return catalog.rootPrefix + path.slice(mountpoint.length);
}

/** The nested or bind-mounted catalog whose mountpoint is exactly `path`. */
export function nestedAt(attached: AttachedCatalog, path: string): NestedCatalog | undefined {
  const { nested } = attached.catalog;
  return nested.size === 0 ? undefined : nested.get(databasePath(attached, path));
}
