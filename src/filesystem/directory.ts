// From a node id to the directory it stands for: its path and the catalog that holds its children. Nothing has to be
// remembered for that: the path is found again by walking up the rows; what is kept is only a cache.
import { Errno, ROOT_NODE } from '../fuse/operations.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import { RepositoryError } from '../repository/errors.ts';
import { type AttachedCatalog, MAX_DEPTH, nestedAt, nodeOf } from './attached-catalog.ts';
import type { CatalogTree } from './catalog-tree.ts';
import { ENOTDIR, ESTALE } from './errno.ts';

export interface Directory {
  readonly node: number;
  /** Absolute path in the mount, '' for its root. */
  readonly path: string;
  /** Catalog of the children; of a mountpoint it is the nested one. */
  readonly catalog: AttachedCatalog;
  readonly parentNode: number;
}

/** On the way from a directory to its root. */
interface Step {
  readonly node: number;
  /** Catalog of the directory's own row. */
  readonly attached: AttachedCatalog;
  readonly name: string;
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

  /**
   * Throws Errno(ENOTDIR) or (ESTALE) where the node is no directory, Pending while its nested catalog is fetched, and
   * RepositoryError BadCatalog where the rows lead nowhere.
   */
  get(node: number): Directory {
    return this.#cache.get(node) ?? this.#find(node);
  }

  /** Paths lead to other catalogs now. */
  clear(): void {
    this.#cache.clear();
  }

  /** The directory that holds `entry`, which is not the root row of its catalog. */
  above(attached: AttachedCatalog, entry: CatalogEntry): Directory {
    return this.get(parentOf(attached, entry));
  }

  /** Up the rows to a directory that is known, and down again. Not by recursion: a catalog may claim any depth. */
  #find(node: number): Directory {
    const steps: Step[] = [];
    let above = node;
    let directory = this.#cache.get(above);
    while (!directory) {
      if (above === ROOT_NODE) {
        directory = this.#remember({ node: above, path: '', catalog: this.#tree.root, parentNode: above });
        break;
      }
      if (steps.length === MAX_DEPTH) throw this.#tooDeep(above);
      const step = this.#step(above);
      steps.push(step);
      above = step.parentNode;
      directory = this.#cache.get(above);
    }
    for (let step = steps.pop(); step; step = steps.pop()) directory = this.#enter(directory, step);
    return directory;
  }

  #step(node: number): Step {
    const place = this.#tree.locate(node);
    if (!place) throw new Errno(ESTALE);
    const { attached } = place;
    const entry = attached.catalog.row(place.row);
    if (!entry) throw new Errno(ESTALE);
    if ((entry.mode & TYPE_MASK) !== DIRECTORY_TYPE) throw new Errno(ENOTDIR);
    return { node, attached, name: entry.name, parentNode: parentOf(attached, entry) };
  }

  #enter(parent: Directory, { node, attached, name }: Step): Directory {
    const path = `${parent.path}/${name}`;
    const nested = nestedAt(attached, path);
    const catalog = nested ? this.#tree.nested(path, nested, node, parent.node) : attached;
    return this.#remember({ node, path, catalog, parentNode: parent.node });
  }

  #tooDeep(node: number): RepositoryError {
    const place = this.#tree.locate(node)?.attached.mountpoint || '/';
    const message = `the catalog of ${place} is damaged: a directory is in more than ${MAX_DEPTH} others, or in itself`;
    return new RepositoryError('BadCatalog', message);
  }

  #remember(directory: Directory): Directory {
    if (this.#cache.size >= CACHED_DIRECTORIES) this.#cache.delete(this.#cache.keys().next().value as number);
    this.#cache.set(directory.node, directory);
    return directory;
  }
}

function parentOf(attached: AttachedCatalog, entry: CatalogEntry): number {
  const parentRow = attached.catalog.parentRow(entry);
  if (parentRow === 0) throw new Errno(ESTALE);
  return nodeOf(attached, parentRow);
}
