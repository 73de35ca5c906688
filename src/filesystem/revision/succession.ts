// Which catalogs of a new revision take the place of which that are attached. A catalog with the hash that it had stays,
// with all that is attached below it. Of a nested catalog that is not attached the kernel knows nothing: it is not looked
// at either. What is left are the catalogs along the way to a change, and those that appeared in, or vanished into, others.
import type { Catalog, NestedCatalog } from '../../repository/catalog.ts';
import { hashPath, newPathHash } from '../../repository/path-hash.ts';
import { type AttachedCatalog, databasePath, nodeOf } from '../attached-catalog.ts';
import { isDirectory } from '../attributes.ts';

export interface Successor {
  readonly mountpoint: string;
  readonly catalog: Catalog;
  /** Bytes of the uncompressed database; 0: unknown. */
  readonly size: number;
  readonly mountNode: number;
  readonly parentNode: number;
  /** Attached catalogs that hold, or may hold, what was at its paths. */
  readonly predecessors: AttachedCatalog[];
}

export interface Succession {
  readonly replaced: readonly AttachedCatalog[];
  readonly successors: readonly Successor[];
}

/** A catalog of the new revision that has to be opened first. */
export interface MissingCatalog {
  readonly nested: NestedCatalog;
  readonly path: string;
}

export type Attachments = ReadonlyMap<string, AttachedCatalog>;

/**
 * @param opened catalogs of the new revision by mountpoint, its root at least
 * @returns what is missing, as long as something is
 */
export function planSuccession(
  attached: Attachments,
  opened: ReadonlyMap<string, Catalog>,
): Succession | { readonly missing: readonly MissingCatalog[] } {
  return new Plan(attached, opened).make();
}

class Plan {
  readonly #attached: Attachments;
  readonly #opened: ReadonlyMap<string, Catalog>;
  readonly #successors = new Map<string, Successor>();
  readonly #missing: MissingCatalog[] = [];
  readonly #kept = new Set<string>();
  readonly #hash = newPathHash();

  constructor(attached: Attachments, opened: ReadonlyMap<string, Catalog>) {
    this.#attached = attached;
    this.#opened = opened;
  }

  make(): Succession | { readonly missing: readonly MissingCatalog[] } {
    this.#visit('', this.#opened.get('') as Catalog, 0);
    if (this.#missing.length > 0) return { missing: this.#missing };
    const replaced = [...this.#attached.values()].filter(({ mountpoint }) => !isWithin(mountpoint, this.#kept));
    for (const old of replaced) {
      if (this.#successors.has(old.mountpoint)) continue;
      // It vanished: its rows are in the catalog above now, if anywhere.
      nearest(old.mountpoint, this.#successors)?.predecessors.push(old);
    }
    return { replaced, successors: [...this.#successors.values()] };
  }

  #visit(mountpoint: string, catalog: Catalog, size: number): void {
    const successor = this.#successorAt(mountpoint, catalog, size);
    if (!successor) return;
    this.#successors.set(mountpoint, successor);
    for (const [spelt, nested] of catalog.nested) {
      this.#visitNested(mountpoint + spelt.slice(catalog.rootPrefix.length), nested);
    }
  }

  #visitNested(path: string, nested: NestedCatalog): void {
    const old = this.#attached.get(path);
    // The hash of the file implies those of all below. A null hash is an error for whoever enters it.
    if (old?.hash.equals(nested.hash)) this.#kept.add(path);
    else if (!nested.hash.isNull && (old || this.#wasPlainDirectory(path))) this.#visitChanged(path, nested);
  }

  #visitChanged(path: string, nested: NestedCatalog): void {
    const catalog = this.#opened.get(path);
    if (catalog?.hash.equals(nested.hash)) this.#visit(path, catalog, nested.size);
    else this.#missing.push({ nested, path });
  }

  /** A directory in an attached catalog, with rows of its own below it. */
  #wasPlainDirectory(path: string): boolean {
    const above = nearest(path, this.#attached);
    if (!above) return false;
    return !isWithin(databasePath(above, path), above.catalog.nested) && this.#directoryRow(above, path) !== 0;
  }

  #successorAt(mountpoint: string, catalog: Catalog, size: number): Successor | undefined {
    const old = this.#attached.get(mountpoint);
    if (old) {
      const { mountNode, parentNode } = old;
      return { mountpoint, catalog, size, mountNode, parentNode, predecessors: [old] };
    }
    const above = nearest(mountpoint, this.#attached);
    const row = above && this.#directoryRow(above, mountpoint);
    const entry = row ? above.catalog.row(row) : undefined;
    if (!above || !row || !entry) return undefined;
    const parentNode = nodeOf(above, above.catalog.parentRow(entry));
    return { mountpoint, catalog, size, mountNode: nodeOf(above, row), parentNode, predecessors: [above] };
  }

  /** 0: there is no directory. */
  #directoryRow(attached: AttachedCatalog, path: string): number {
    hashPath(databasePath(attached, path), this.#hash);
    const row = attached.catalog.lookup(this.#hash);
    const entry = row === 0 ? undefined : attached.catalog.row(row);
    return entry && isDirectory(entry) ? row : 0;
  }
}

/** The path, or one above it, is among `paths`. */
function isWithin(path: string, paths: { has(path: string): boolean }): boolean {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) if (paths.has(at)) return true;
  return false;
}

/** The catalog that covers the parent directory of `path`. */
function nearest<Value>(path: string, catalogs: ReadonlyMap<string, Value>): Value | undefined {
  for (let at = path.lastIndexOf('/'); at >= 0; at = at === 0 ? -1 : path.lastIndexOf('/', at - 1)) {
    const found = catalogs.get(path.slice(0, at));
    if (found) return found;
  }
  return undefined;
}
