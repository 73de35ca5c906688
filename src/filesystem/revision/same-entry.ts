// What of a file two revisions have in common. Where the content is the same, the node stays the same with all pages that
// the kernel holds of it, whatever became of its owner, mode and times.
import type { Catalog, CatalogEntry } from '../../repository/catalog.ts';
import { FLAG_CHUNKED, FLAG_HIDDEN } from '../../repository/entry-flags.ts';
import { isDirectory, isRegular, isSymlink } from '../attributes.ts';

const TYPE_MASK = 0o170000;

/** A row and the catalog it is in. */
export interface Row {
  readonly catalog: Catalog;
  readonly entry: CatalogEntry;
}

/** Both are at the same path. Directories are the same whatever is in them. */
export function isSameNode(old: Row, now: Row): boolean {
  const [a, b] = [old.entry, now.entry];
  if ((a.mode & TYPE_MASK) !== (b.mode & TYPE_MASK)) return false;
  if (isDirectory(a)) return true;
  // A group has a node of its own, see HardLinkGroups.
  if ((a.hardlinkGroup === 0) !== (b.hardlinkGroup === 0)) return false;
  if (isSymlink(a)) return a.symlink === b.symlink && a.flags === b.flags;
  if (a.size !== b.size || a.flags !== b.flags) return false;
  return !isRegular(a) || isSameContent(old, now);
}

/** stat(2) tells of no difference. The inode number is kept with the node. */
export function haveSameAttributes(a: CatalogEntry, b: CatalogEntry): boolean {
  return (
    a.mode === b.mode &&
    a.size === b.size &&
    a.mtime === b.mtime &&
    a.mtimeNs === b.mtimeNs &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.linkCount === b.linkCount
  );
}

/** Both are seen in the lists of their directory, or neither is. */
export function isListedAlike(a: CatalogEntry, b: CatalogEntry): boolean {
  return ((a.flags ^ b.flags) & FLAG_HIDDEN) === 0;
}

function isSameContent(old: Row, now: Row): boolean {
  const hash = old.entry.hash;
  if (hash ? !hash.equals(now.entry.hash) : now.entry.hash !== undefined) return false;
  if ((old.entry.flags & FLAG_CHUNKED) === 0) return true;
  const [before, after] = [old.catalog.chunks(old.entry), now.catalog.chunks(now.entry)];
  return before.length === after.length && before.every(({ hash }, i) => hash.equals(after[i].hash));
}
