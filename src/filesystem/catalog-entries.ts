// What the rows of a mounted revision's catalogs are to the kernel: nodes, names with attributes, targets of links, content.
import { type Attributes, type Entry, Errno } from '../fuse/operations.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import { expandVariables } from '../repository/variant-symlink.ts';
import { type AttachedCatalog, pathInCatalog } from './attached-catalog.ts';
import { attributesOf, DIRECTORY, isRegular, isSymlink, type OwnershipRules } from './attributes.ts';
import type { CatalogTree } from './catalog-tree.ts';
import type { Directory } from './directory.ts';
import { EINVAL, EIO, ESTALE } from './errno.ts';
import { contentOf } from './file-content.ts';
import { MAX_GROUP } from './node-id.ts';
import type { FileContent } from './open-files.ts';
import type { LeftNode } from './revision/left-node.ts';

/** A row together with the catalog it is in. */
export interface Located {
  readonly attached: AttachedCatalog;
  readonly entry: CatalogEntry;
}

export interface EntryRules {
  readonly tree: CatalogTree;
  readonly ownership: OwnershipRules;
  /** Values of `$(NAME)` in symlinks. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Gets a line for each error that a user of the mount sees as EIO. */
  readonly report: (message: string) => void;
}

const NO_ATTRIBUTES: Attributes = {
  ino: 0,
  size: 0,
  blocks: 0,
  mtime: 0,
  mtimeNs: 0,
  mode: DIRECTORY,
  nlink: 0,
  uid: 0,
  gid: 0,
  rdev: 0,
};

export class CatalogEntries {
  readonly #rules: EntryRules;

  constructor(rules: EntryRules) {
    this.#rules = rules;
  }

  /** undefined: the node is not in this revision. */
  find(node: number): Located | undefined {
    const place = this.#rules.tree.locate(node);
    return place && { attached: place.attached, entry: this.row(place.attached, place.row) };
  }

  /** @throws Errno(EIO) */
  row(attached: AttachedCatalog, rowid: number): CatalogEntry {
    const entry = attached.catalog.row(rowid);
    if (!entry) {
      this.#rules.report(`damaged catalog of ${attached.mountpoint || '/'}: row ${rowid} is missing`);
      throw new Errno(EIO);
    }
    return entry;
  }

  entry(attached: AttachedCatalog, row: CatalogEntry): Entry {
    const group = row.hardlinkGroup;
    if (group === 0 || group > MAX_GROUP) {
      return { node: attached.nodes.nodeOfRow(row.rowid), attributes: this.attributes(attached, row) };
    }
    if (!attached.groupRows.has(group)) this.#rules.tree.noteGroup(attached, group, row.rowid);
    return { node: attached.nodes.nodeOfGroup(group), attributes: this.attributes(attached, row) };
  }

  /** What a listing shows of "." and "..": of these two the kernel takes only inode number and type. */
  nameOnly(node: number): Entry {
    const place = this.#rules.tree.locate(node);
    if (!place) throw new Errno(ESTALE);
    return { node, attributes: { ...NO_ATTRIBUTES, ino: place.attached.nodes.inodeOfRow(place.row) } };
  }

  attributes(attached: AttachedCatalog, row: CatalogEntry): Attributes {
    const linkSize = isSymlink(row) ? this.target(row).length : 0;
    return attributesOf(row, attached, this.#rules.ownership, linkSize);
  }

  /** Of a symlink, in Latin-1. */
  target(row: CatalogEntry): string {
    return expandVariables(row.symlink, this.#rules.variables);
  }

  /** Of a regular file in `directory`. @throws Errno(EINVAL) for anything else; what `contentOf` throws */
  content({ attached, entry }: Located, directory: Directory): FileContent {
    if (!isRegular(entry)) throw new Errno(EINVAL);
    return contentOf(attached, entry, `${directory.path}/${entry.name}`);
  }

  /** All that can be asked of a node, for when its catalog is gone. */
  describe(attached: AttachedCatalog, row: CatalogEntry): LeftNode {
    return {
      attributes: this.attributes(attached, row),
      target: isSymlink(row) ? this.target(row) : undefined,
      content: isRegular(row) ? contentOf(attached, row, pathInCatalog(attached, row)) : undefined,
      xattrs: attached.catalog.xattrs(row.rowid),
    };
  }
}
