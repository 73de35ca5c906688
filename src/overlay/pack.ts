// An upper directory as a tar archive, with deletions written as images of containers have them (OCI image layers): an empty
// file `.wh.NAME` for a deleted name, `.wh..wh..opq` in a directory that hides what was in its place. The same upper always
// gives the same bytes.
import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import type { TarEntry, TarKind } from '../tar/header.ts';
import { TarWriter } from '../tar/writer.ts';
import { UpperError } from './errors.ts';
import type { Change, Upper } from './upper.ts';

export interface PackOptions {
  /** Default: 0 and 0, whoever made the files; 'keep': those of the files. */
  readonly owner?: { readonly uid: number; readonly gid: number } | 'keep';
}

export interface Packed {
  readonly entries: number;
  readonly deletions: number;
  /** Paths (Latin-1) that no archive can hold: sockets. */
  readonly left: readonly string[];
}

/** Writes the archive to `fd`. @throws UpperError NAME, UNREADABLE */
export function pack(upper: Upper, fd: number, { owner = { uid: 0, gid: 0 } }: PackOptions = {}): Packed {
  const writer = new TarWriter(fd);
  const links = new Map<string, string>();
  const left: string[] = [];
  let entries = 0;
  let deletions = 0;
  for (const change of upper.changes()) {
    const { path, stats } = change;
    if (!stats) {
      writer.add(mark(path.replace(/[^/]*$/, '.wh.$&')));
      deletions++;
      continue;
    }
    const kind = kindOf(change);
    if (!kind) {
      left.push(path);
      continue;
    }
    if (/(^|\/)\.wh\.[^/]*$/.test(path)) {
      const hint = 'in an archive such a name means a deletion: give it another one';
      throw new UpperError('NAME', `cannot pack ${upper.systemPath(path)}: ${hint}`);
    }
    const entry = entryOf(upper, change, kind, links, owner);
    // The root itself is as it is: it may be a part of a repository.
    if (path !== '') add(writer, upper, entry);
    entries++;
    if (change.opaque) writer.add(mark(path === '' ? '.wh..wh..opq' : `${path}/.wh..wh..opq`));
  }
  writer.end();
  return { entries, deletions, left };
}

function add(writer: TarWriter, upper: Upper, entry: TarEntry): void {
  if (entry.kind !== 'file') {
    writer.add(entry);
    return;
  }
  const path = upper.systemPath(entry.path);
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw new UpperError('UNREADABLE', `cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
  try {
    writer.add(entry, fd);
  } finally {
    closeSync(fd);
  }
}

function entryOf(
  upper: Upper,
  { path, stats, xattrs }: Change,
  kind: TarKind,
  links: Map<string, string>,
  owner: NonNullable<PackOptions['owner']>,
): TarEntry {
  if (!stats) throw new RangeError('a deletion has no entry');
  const inode = `${stats.dev}:${stats.ino}`;
  const first = kind === 'file' && stats.nlink > 1n ? links.get(inode) : undefined;
  if (first === undefined) links.set(inode, path);
  const mtimeNs = Number(((stats.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  const device = kind === 'character' || kind === 'block';
  const { uid, gid } = owner === 'keep' ? { uid: Number(stats.uid), gid: Number(stats.gid) } : owner;
  return {
    path,
    kind: first === undefined ? kind : 'link',
    mode: Number(stats.mode) & 0o7777,
    uid,
    gid,
    size: kind === 'file' && first === undefined ? Number(stats.size) : 0,
    mtime: (stats.mtimeNs - BigInt(mtimeNs)) / 1_000_000_000n,
    mtimeNs,
    target: first ?? (kind === 'symlink' ? readlinkSync(upper.systemPath(path), 'buffer').toString('latin1') : ''),
    // As glibc's major() and minor() take it apart.
    deviceMajor: device ? Number(((stats.rdev >> 8n) & 0xfffn) | ((stats.rdev >> 32n) & ~0xfffn)) : 0,
    deviceMinor: device ? Number((stats.rdev & 0xffn) | ((stats.rdev >> 12n) & ~0xffn)) : 0,
    xattrs: new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value)])),
  };
}

function mark(path: string): TarEntry {
  const nothing = { uid: 0, gid: 0, size: 0, mtime: 0n, mtimeNs: 0, target: '', deviceMajor: 0, deviceMinor: 0 };
  return { path, kind: 'file', mode: 0o644, xattrs: new Map(), ...nothing };
}

function kindOf({ stats }: Change): TarKind | undefined {
  if (stats?.isDirectory()) return 'directory';
  if (stats?.isFile()) return 'file';
  if (stats?.isSymbolicLink()) return 'symlink';
  if (stats?.isFIFO()) return 'fifo';
  if (stats?.isCharacterDevice()) return 'character';
  return stats?.isBlockDevice() ? 'block' : undefined;
}
