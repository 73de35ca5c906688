// A catalog in its place in the tree. The same catalog file may be attached at several places (snapshots), each with a
// number of its own: two directories must never share a node id.
import type { ContentHash } from '../objects/hash.ts';
import type { Catalog, CatalogEntry, NestedCatalog } from '../repository/catalog.ts';
import type { Numbering } from './numbering.ts';

/** No path that programs can name has more directories (PATH_MAX is 4096 bytes). */
export const MAX_DEPTH = 2048;

/** Where a catalog is, and what its rows are called. */
export interface CatalogPlace {
  readonly number: number;
  /** Path of the directory it is attached to, '' for the root catalog. */
  readonly mountpoint: string;
  /** Node id of that directory, whose row is in the parent catalog. */
  readonly mountNode: number;
  /** Node id of the directory above it. */
  readonly parentNode: number;
  /** Node ids and inode numbers of its rows. */
  readonly nodes: Numbering;
  /** First row seen of each hard link group: stands for all of them. */
  readonly groupRows: Map<number, number>;
}

export class AttachedCatalog implements CatalogPlace {
  readonly hash: ContentHash;
  readonly number: number;
  readonly mountpoint: string;
  readonly mountNode: number;
  readonly parentNode: number;
  readonly nodes: Numbering;
  readonly groupRows: Map<number, number>;
  readonly #open: () => Catalog;
  #catalog: Catalog | undefined;

  /** `open` is called when something is wanted of the catalog and it was not given; it may throw Pending or Errno(EIO). */
  constructor(place: CatalogPlace, hash: ContentHash, catalog: Catalog | undefined, open: () => Catalog) {
    this.hash = hash;
    this.number = place.number;
    this.mountpoint = place.mountpoint;
    this.mountNode = place.mountNode;
    this.parentNode = place.parentNode;
    this.nodes = place.nodes;
    this.groupRows = place.groupRows;
    this.#catalog = catalog;
    this.#open = open;
  }

  /** Throws what `open` throws. */
  get catalog(): Catalog {
    this.#catalog ??= this.#open();
    return this.#catalog;
  }

  /** undefined while it is not open. */
  get opened(): Catalog | undefined {
    return this.#catalog;
  }

  close(): void {
    this.#catalog?.close();
    this.#catalog = undefined;
  }
}

/** What has to be known of a catalog's place to find paths in it. */
export type CatalogAtPath = Pick<AttachedCatalog, 'catalog' | 'mountpoint'>;

/** Path as the catalog's tables spell it (client.md §3.5): differs from the mounted one below bind mountpoints only. */
export function databasePath(attached: CatalogAtPath, path: string): string {
  const { mountpoint, catalog } = attached;
  if (mountpoint === catalog.rootPrefix) return path;
  return catalog.rootPrefix + path.slice(mountpoint.length);
}

/** The nested or bind-mounted catalog whose mountpoint is exactly `path`. */
export function nestedAt(attached: CatalogAtPath, path: string): NestedCatalog | undefined {
  const { nested } = attached.catalog;
  return nested.size === 0 ? undefined : nested.get(databasePath(attached, path));
}

/** Node id of the catalog's row, or of the mount's root for the root catalog's own root row. */
export function nodeOf(attached: AttachedCatalog, rowid: number): number {
  if (rowid === attached.catalog.rootRow) return attached.mountNode;
  return attached.nodes.nodeOfRow(rowid);
}

/** Path of a row, found from its directories' rows alone. What leads nowhere is cut off: it is for logs and external data. */
export function pathInCatalog({ catalog, mountpoint }: AttachedCatalog, entry: CatalogEntry): string {
  let path = `/${entry.name}`;
  let row = catalog.parentRow(entry);
  for (let depth = 0; depth < MAX_DEPTH && row !== 0 && row !== catalog.rootRow; depth++) {
    const directory = catalog.row(row);
    if (!directory) break;
    path = `/${directory.name}${path}`;
    row = catalog.parentRow(directory);
  }
  return mountpoint + path;
}
