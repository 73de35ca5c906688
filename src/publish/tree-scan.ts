// Reads a directory tree into entries. Names and targets are bytes: paths go to the system as Buffers.
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { PublishError, reason } from './errors.ts';
import type { EntryKind, TreeEntry } from './tree-entry.ts';

const S_IFMT = 0o170000;
const KINDS: ReadonlyMap<number, EntryKind> = new Map<number, EntryKind>([
  [0o040000, 'directory'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
  [0o010000, 'special'],
  [0o140000, 'special'],
  [0o020000, 'special'],
  [0o060000, 'special'],
]);
const DEVICES = new Set([0o020000, 0o060000]);
/** What the catalog says of every directory: st_size depends on the publisher's disk and would change catalogs for nothing. */
const DIRECTORY_BYTES = 4096;

/**
 * Reads the tree below `directory`, which becomes the repository's root. Symbolic links are not followed.
 * @throws PublishError TREE when something cannot be read or is no directory.
 */
export function scanTree(directory: string): TreeEntry {
  const prefix = Buffer.from(directory);
  const root = scanEntry(prefix, '', '', undefined);
  if (root.kind !== 'directory') {
    throw new PublishError('TREE', `cannot publish ${directory}: it is not a directory`);
  }
  const pending = [root];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const name of namesIn(prefix, next.path)) {
      const entry = scanEntry(prefix, `${next.path}/${name}`, name, next);
      next.children.push(entry);
      if (entry.kind === 'directory') pending.push(entry);
    }
  }
  return root;
}

/** The path of an entry for system calls. */
export function systemPath(prefix: Uint8Array, path: string): Buffer {
  return Buffer.concat([prefix, Buffer.from(path, 'latin1')]);
}

function namesIn(prefix: Buffer, path: string): string[] {
  try {
    const names = readdirSync(systemPath(prefix, path), { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    // Latin-1 strings compare as their bytes do, so the order does not depend on a locale.
    return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  } catch (error) {
    throw new PublishError('TREE', `cannot list ${printable(prefix, path)}: ${reason(error)}`, error);
  }
}

function scanEntry(prefix: Buffer, path: string, name: string, parent: TreeEntry | undefined): TreeEntry {
  const location = systemPath(prefix, path);
  let stats: BigIntStats;
  let target = '';
  try {
    stats = lstatSync(location, { bigint: true });
    if (stats.isSymbolicLink()) target = readlinkSync(location, { encoding: 'buffer' }).toString('latin1');
  } catch (error) {
    throw new PublishError('TREE', `cannot read ${printable(prefix, path)}: ${reason(error)}`, error);
  }
  const mode = Number(stats.mode);
  const kind = KINDS.get(mode & S_IFMT);
  if (kind === undefined) {
    throw new PublishError('TREE', `cannot publish ${printable(prefix, path)}: unknown file type (mode ${mode})`);
  }
  // The time is taken apart here since BigInt division truncates and times before 1970 are negative.
  const mtimeNs = Number(((stats.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  return {
    path,
    name,
    parent,
    kind,
    mode,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: sizeOf(kind, mode, stats, target),
    mtime: (stats.mtimeNs - BigInt(mtimeNs)) / 1_000_000_000n,
    mtimeNs,
    inode: kind === 'file' && stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : '',
    target,
    xattrs: undefined,
    children: [],
    content: undefined,
    linkGroup: 0,
    linkCount: 1,
    extraFlags: 0,
  };
}

function sizeOf(kind: EntryKind, mode: number, stats: BigIntStats, target: string): number {
  if (kind === 'directory') return DIRECTORY_BYTES;
  if (kind === 'symlink') return target.length;
  if (kind === 'special') return DEVICES.has(mode & S_IFMT) ? Number(stats.rdev) : 0;
  return Number(stats.size);
}

function printable(prefix: Buffer, path: string): string {
  return systemPath(prefix, path).toString('utf8');
}
