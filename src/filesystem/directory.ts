// From a node id to the directory it stands for: its path and the catalog that holds its children. Nothing has to be
// remembered for that: the path is found again by walking up the rows; what is kept is only a cache.
import { Errno, ROOT_NODE } from '../fuse/operations.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import { type AttachedCatalog, nestedAt } from './attached-catalog.ts';
import { type CatalogTree, nodeOf } from './catalog-tree.ts';
import { ENOTDIR, ESTALE } from './errno.ts';
import { catalogNumberOf, rowOf } from './node-id.ts';

export interface Directory {
  readonly node: number;
  /** Absolute path in the mount, '' for its root. */
  readonly path: string;
  /** Catalog of the children; of a mountpoint it is the nested one. */
  readonly catalog: AttachedCatalog;
  readonly parentNode: number;
}

const DIRECTORY_TYPE = 0o040000;
const TYPE_MASK = 0o170000;
const CACHED_DIRECTORIES = 32_768;

export class Directories {
  readonly #tree: CatalogTree;
  readonly #cache = new Map<number, Directory>();

  constructor(tree: CatalogTree) {
    this.#tree = tree;
  }

  /** Throws Errno(ENOTDIR) or (ESTALE) where the node is no directory, and Pending while its nested catalog is fetched. */
  get(node: number): Directory {
    return this.#cache.get(node) ?? this.#find(node);
  }

  /** The directory that holds `entry`, which is not the root row of its catalog. */
  above(attached: AttachedCatalog, entry: CatalogEntry): Directory {
    const parentRow = attached.catalog.parentRow(entry);
    if (parentRow === 0) throw new Errno(ESTALE);
    return this.get(nodeOf(attached, parentRow));
  }

  #find(node: number): Directory {
    if (node === ROOT_NODE) {
      return this.#remember({ node, path: '', catalog: this.#tree.root, parentNode: ROOT_NODE });
    }
    const attached = this.#tree.byNumber(catalogNumberOf(node));
    const rowid = rowOf(node);
    if (!attached || rowid === undefined) throw new Errno(ESTALE);
    const entry = attached.catalog.row(rowid);
    if (!entry) throw new Errno(ESTALE);
    if ((entry.mode & TYPE_MASK) !== DIRECTORY_TYPE) throw new Errno(ENOTDIR);
    const parent = this.above(attached, entry);
    return this.#enter(node, `${parent.path}/${entry.name}`, attached, parent.node);
  }

  #enter(node: number, path: string, rowCatalog: AttachedCatalog, parentNode: number): Directory {
    const nested = nestedAt(rowCatalog, path);
    const catalog = nested ? this.#tree.nested(path, nested, node, parentNode) : rowCatalog;
    return this.#remember({ node, path, catalog, parentNode });
  }

  #remember(directory: Directory): Directory {
    if (this.#cache.size >= CACHED_DIRECTORIES) this.#cache.delete(this.#cache.keys().next().value as number);
    this.#cache.set(directory.node, directory);
    return directory;
  }
}
