// The catalogs of one mounted revision: the root catalog, and nested ones attached when a path below them is first asked
// for (client.md §3.7). Synchronous; a catalog that is not local yet is fetched and the request tried again.
import { Errno, Pending, ROOT_NODE } from '../fuse/operations.ts';
import type { ObjectRequest, ObjectStore } from '../objects/object.ts';
import { Catalog, type NestedCatalog } from '../repository/catalog.ts';
import type { AttachedCatalog } from './attached-catalog.ts';
import { EIO } from './errno.ts';
import { MAX_CATALOG_NUMBER, nodeOfRow } from './node-id.ts';

/** st_ino 1 to 255 are reserved, as in the reference client (client.md §5.2). */
const FIRST_INODE = 255;

export class CatalogTree {
  readonly root: AttachedCatalog;
  readonly #store: ObjectStore;
  readonly #byNumber: AttachedCatalog[] = [];
  readonly #byMountpoint = new Map<string, AttachedCatalog>();
  readonly #report: (message: string) => void;
  #inodeGauge = FIRST_INODE;

  /** `root` has to be verified already. `report` gets a line for each catalog that cannot be used. */
  constructor(store: ObjectStore, root: Catalog, report: (message: string) => void) {
    this.#store = store;
    this.#report = report;
    this.root = this.#attach(root, '', ROOT_NODE, ROOT_NODE);
  }

  /** Number of attached catalogs. */
  get size(): number {
    return this.#byMountpoint.size;
  }

  /** Upper bound of the st_ino given out so far. */
  get inodeGauge(): number {
    return this.#inodeGauge;
  }

  /** Entries of all attached catalogs, by their own counters. */
  get attachedEntries(): number {
    let entries = 0;
    for (const attached of this.#byMountpoint.values()) entries += attached.catalog.counters.selfEntries;
    return entries;
  }

  byNumber(number: number): AttachedCatalog | undefined {
    return this.#byNumber[number];
  }

  /**
   * The catalog attached at `path`, attaching it first if need be.
   * Throws Pending while it is being fetched and Errno(EIO) if it is damaged: never ENOENT (client.md §11.9).
   */
  nested(path: string, nested: NestedCatalog, mountNode: number, parentNode: number): AttachedCatalog {
    return this.#byMountpoint.get(path) ?? this.#load(path, nested, mountNode, parentNode);
  }

  close(): void {
    for (const attached of this.#byMountpoint.values()) attached.catalog.close();
    this.#byMountpoint.clear();
  }

  #load(path: string, nested: NestedCatalog, mountNode: number, parentNode: number): AttachedCatalog {
    if (nested.hash.isNull) throw this.#refuse(path, 'its parent catalog names no hash for it');
    const request = catalogRequest(nested, path);
    const object = this.#store.open(nested.hash, request.size);
    if (!object) throw new Pending(this.#store.fetch(request));
    let catalog: Catalog;
    try {
      catalog = Catalog.open(object, nested.hash);
    } catch (error) {
      throw this.#refuse(path, (error as Error).message);
    }
    return this.#attach(catalog, path, mountNode, parentNode);
  }

  #attach(catalog: Catalog, mountpoint: string, mountNode: number, parentNode: number): AttachedCatalog {
    const number = this.#byMountpoint.size + 1;
    if (number > MAX_CATALOG_NUMBER) throw this.#refuse(mountpoint, 'too many catalogs');
    const inodeOffset = this.#inodeGauge;
    this.#inodeGauge += catalog.maxRowid;
    const attached = { catalog, number, mountpoint, mountNode, parentNode, inodeOffset, groupRows: new Map() };
    this.#byNumber[number] = attached;
    this.#byMountpoint.set(mountpoint, attached);
    return attached;
  }

  #refuse(path: string, reason: string): Errno {
    this.#report(`cannot use the catalog of ${path || '/'}: ${reason}`);
    return new Errno(EIO);
  }
}

/** What to ask the store for to get a nested catalog. */
export function catalogRequest(nested: NestedCatalog, path: string): ObjectRequest {
  const size = nested.size > 0 ? { size: nested.size } : {};
  return { hash: nested.hash, letter: 'C', compression: 'zlib', label: `file catalog at ${path || '/'}`, ...size };
}

/** Node id of the catalog's row, or of the mount's root for the root catalog's own root row. */
export function nodeOf(attached: AttachedCatalog, rowid: number): number {
  if (rowid === attached.catalog.rootRow) return attached.mountNode;
  return nodeOfRow(attached.number, rowid);
}
