// One name of the tree that is being published.
import type { ContentHash } from '../objects/hash.ts';

export type EntryKind = 'directory' | 'file' | 'symlink' | 'special';

export interface Chunk {
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Uncompressed bytes. */
  readonly size: number;
  readonly hash: ContentHash;
}

/** Where a regular file's bytes are stored: one object, or at least two chunks. */
export type Content = { readonly hash: ContentHash } | { readonly chunks: readonly Chunk[] };

/** A stored catalog as its parent's tables name it. */
export interface CatalogReference {
  readonly hash: ContentHash;
  /** Bytes of the uncompressed database. */
  readonly size: number;
}

export interface TreeEntry {
  /** One character per byte (Latin-1), '' for the root, '/a/b' below it. */
  readonly path: string;
  /** Last component of the path, '' for the root. */
  readonly name: string;
  readonly parent: TreeEntry | undefined;
  readonly kind: EntryKind;
  /** st_mode with the file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; of a symlink the length of its target, of a device its number, of a directory 4096. */
  readonly size: number;
  /** Seconds since 1970, may be negative. */
  readonly mtime: bigint;
  /** 0 to 999999999. */
  readonly mtimeNs: number;
  /** Device and inode of a file with more than one name, '' otherwise. */
  readonly inode: string;
  /** Raw target of a symlink (Latin-1), '' otherwise. */
  readonly target: string;
  /** Serialized list for the catalog, undefined if there is none. */
  xattrs: Uint8Array | undefined;
  /** Sorted by the bytes of their names; empty for all but directories. */
  readonly children: TreeEntry[];
  /** Set once the file's data are stored. */
  content: Content | undefined;
  /** Hard link group in the catalog's column: 0 or the group's number, and the number of its names. */
  linkGroup: number;
  linkCount: number;
  /** Flags beyond those that follow from the kind: hidden, bind mountpoint. */
  readonly extraFlags: number;
  /** The root catalog that a bind mountpoint shows. */
  readonly bound?: CatalogReference;
}

/** An entry with nothing but what is given: mode (with the file type), owner, times; for what no disk holds. */
export function syntheticEntry(
  parent: TreeEntry,
  name: string,
  attributes: Pick<TreeEntry, 'kind' | 'mode' | 'size'> & Partial<TreeEntry>,
): TreeEntry {
  return {
    path: `${parent.path}/${name}`,
    name,
    parent,
    uid: parent.uid,
    gid: parent.gid,
    mtime: parent.mtime,
    mtimeNs: parent.mtimeNs,
    inode: '',
    target: '',
    xattrs: undefined,
    children: [],
    content: undefined,
    linkGroup: 0,
    linkCount: 1,
    extraFlags: 0,
    ...attributes,
  };
}

/** Gives every entry of the tree, its root included, to `visit` (directories before what is in them). */
export function walk(entry: TreeEntry, visit: (entry: TreeEntry) => void): void {
  const pending = [entry];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    visit(next);
    for (let i = next.children.length - 1; i >= 0; i--) pending.push(next.children[i]!);
  }
}
