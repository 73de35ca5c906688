// stat data of a catalog row (client.md §5.3) and the overrides of owner and mode (client.md §3.12).
import type { Attributes } from '../fuse/operations.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import type { AttachedCatalog } from './attached-catalog.ts';

const TYPE_MASK = 0o170000;
export const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
const SYMLINK = 0o120000;
const CHARACTER_DEVICE = 0o020000;
const BLOCK_DEVICE = 0o060000;

export interface OwnershipRules {
  /** Owner and group of everything (CVMFS_CLAIM_OWNERSHIP); undefined: see `userId` and `groupId`. */
  readonly claim?: { readonly uid: number; readonly gid: number };
  /** What to show for an owner or a group as published; undefined: just that. Not asked where everything is claimed. */
  readonly userId?: (published: number) => number;
  readonly groupId?: (published: number) => number;
  /** CVMFS_WORLD_READABLE. */
  readonly worldReadable: boolean;
}

export function isDirectory(entry: Pick<CatalogEntry, 'mode'>): boolean {
  return (entry.mode & TYPE_MASK) === DIRECTORY;
}

export function isRegular(entry: CatalogEntry): boolean {
  return (entry.mode & TYPE_MASK) === REGULAR;
}

export function isSymlink(entry: CatalogEntry): boolean {
  return (entry.mode & TYPE_MASK) === SYMLINK;
}

/** `linkSize`: length in bytes of the expanded target of a symlink. */
export function attributesOf(
  entry: CatalogEntry,
  attached: AttachedCatalog,
  rules: OwnershipRules,
  linkSize: number,
): Attributes {
  const type = entry.mode & TYPE_MASK;
  const device = type === CHARACTER_DEVICE || type === BLOCK_DEVICE;
  const size = type === SYMLINK ? linkSize : device ? 0 : entry.size;
  const readable = rules.worldReadable ? (type === DIRECTORY ? 0o555 : 0o444) : 0;
  return {
    ino: inodeOf(entry, attached),
    size,
    blocks: 1 + Math.floor(size / 512),
    mtime: entry.mtime,
    mtimeNs: entry.mtimeNs,
    mode: entry.mode | readable,
    nlink: entry.linkCount,
    uid: rules.claim ? rules.claim.uid : (rules.userId?.(entry.uid) ?? entry.uid),
    gid: rules.claim ? rules.claim.gid : (rules.groupId?.(entry.gid) ?? entry.gid),
    rdev: device ? entry.size >>> 0 : 1,
  };
}

/** All names of a hard link group show the inode of the row that was seen first (client.md §5.2). */
function inodeOf(entry: CatalogEntry, attached: AttachedCatalog): number {
  const group = entry.hardlinkGroup;
  const row = group === 0 ? entry.rowid : (attached.groupRows.get(group) ?? entry.rowid);
  return attached.nodes.inodeOfRow(row);
}
