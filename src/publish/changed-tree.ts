// A published tree to which the entries of an archive are applied, one after the other.
import { encodeXattrList } from '../repository/xattr-list.ts';
import type { TarEntry, TarKind } from '../tar/header.ts';
import { PublishError, reason } from './errors.ts';
import { type EntryKind, syntheticEntry, type TreeEntry } from './tree-entry.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const PUBLISHED_XATTR = /^(?:user\.(?!overlay\.|fuseoverlayfs\.)|security\.capability$)/;
/** See tree-scan.ts. */
const DIRECTORY_BYTES = 4096;

const TYPES: Readonly<Record<TarKind, { kind: EntryKind; bits: number }>> = {
  file: { kind: 'file', bits: 0o100000 },
  link: { kind: 'file', bits: 0o100000 },
  symlink: { kind: 'symlink', bits: 0o120000 },
  character: { kind: 'special', bits: 0o020000 },
  block: { kind: 'special', bits: 0o060000 },
  fifo: { kind: 'special', bits: 0o010000 },
  directory: { kind: 'directory', bits: 0o040000 },
};

export class ChangedTree {
  readonly #root: TreeEntry;
  readonly #base: string;
  /** What came from the archive: an opaque directory does not hide it. */
  readonly #added = new Set<TreeEntry>();
  readonly #links: { link: TreeEntry; target: TreeEntry }[] = [];
  /** Children, by name, of the directories that were looked into: lists are long. */
  readonly #children = new Map<TreeEntry, Map<string, TreeEntry>>();

  /** `base` in Latin-1, '' or with `/` between names. */
  constructor(root: TreeEntry, base: string) {
    this.#root = root;
    this.#base = base.replace(/^\/+|\/+$/g, '');
  }

  /** Returns the new entry, if there is one; the data of a file are still to be stored. @throws PublishError TREE, XATTR */
  apply(entry: TarEntry): TreeEntry | undefined {
    const path = [this.#base, entry.path].filter(Boolean).join('/');
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    if (names.includes('..')) throw new PublishError('TREE', `the archive names ${printable(path)}: '..' is refused`);
    const name = names.pop();
    if (name === undefined) return undefined;
    if (names[0] === '.cvmfs' || (names.length === 0 && name === '.cvmfs')) {
      throw new PublishError('TREE', `the archive names ${printable(path)}: the name .cvmfs is reserved`);
    }
    const parent = this.#directory(names, entry);
    const children = this.#childrenOf(parent);
    if (name === OPAQUE) {
      for (const [old, child] of children) if (!this.#added.has(child)) children.delete(old);
      return undefined;
    }
    if (name.startsWith(WHITEOUT)) {
      children.delete(name.slice(WHITEOUT.length));
      return undefined;
    }
    const old = children.get(name);
    const made = entry.kind === 'link' ? this.#link(entry, parent, name) : newEntry(entry, parent, name);
    if (old?.kind === 'directory' && made.kind === 'directory') {
      this.#children.set(made, this.#childrenOf(old));
    }
    if (old) this.#children.delete(old);
    children.set(name, made);
    this.#added.add(made);
    return made;
  }

  /** Puts all in order, when the data are stored. */
  finish(): void {
    for (const { link, target } of this.#links) link.content = target.content;
    for (const [directory, children] of this.#children) {
      const sorted = [...children.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      directory.children.splice(0, Infinity, ...sorted);
    }
  }

  #directory(names: readonly string[], entry: TarEntry): TreeEntry {
    let directory = this.#root;
    for (const name of names) {
      const children = this.#childrenOf(directory);
      let next = children.get(name);
      if (next?.kind !== 'directory') {
        // Placeholders, until the archive says what they are.
        next = newEntry({ ...entry, kind: 'directory', mode: 0o755, xattrs: new Map() }, directory, name);
        children.set(name, next);
        this.#added.add(next);
      }
      directory = next;
    }
    return directory;
  }

  #link(entry: TarEntry, parent: TreeEntry, name: string): TreeEntry {
    const names = `${this.#base}/${entry.target}`.split('/').filter((part) => part !== '' && part !== '.');
    let target: TreeEntry | undefined = this.#root;
    for (const part of names) target = target && this.#childrenOf(target).get(part);
    if (target?.kind !== 'file') {
      const what = `${printable(entry.path)} to ${printable(entry.target)}`;
      throw new PublishError('TREE', `the archive links ${what}, which is no file`);
    }
    const link = { ...target, name, parent, path: `${parent.path}/${name}` };
    this.#links.push({ link, target });
    return link;
  }

  #childrenOf(directory: TreeEntry): Map<string, TreeEntry> {
    let children = this.#children.get(directory);
    if (!children) {
      children = new Map(directory.children.map((child) => [child.name, child]));
      this.#children.set(directory, children);
    }
    return children;
  }
}

function newEntry(entry: TarEntry, parent: TreeEntry, name: string): TreeEntry {
  const { kind, bits } = TYPES[entry.kind];
  const path = `${parent.path}/${name}`;
  return syntheticEntry(parent, name, {
    kind,
    mode: bits | entry.mode | (kind === 'symlink' ? 0o777 : 0),
    uid: entry.uid,
    gid: entry.gid,
    size: sizeOf(entry, kind),
    mtime: entry.mtime,
    mtimeNs: entry.mtimeNs,
    target: kind === 'symlink' ? entry.target : '',
    inode: kind === 'file' ? `archive:${path}` : '',
    xattrs: xattrsOf(entry),
  });
}

function sizeOf(entry: TarEntry, kind: EntryKind): number {
  if (kind === 'directory') return DIRECTORY_BYTES;
  if (kind === 'symlink') return entry.target.length;
  if (kind === 'file') return entry.size;
  const { deviceMajor: major, deviceMinor: minor } = entry;
  // As the kernel's st_rdev has it, for numbers that fit into 32 bits.
  return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x100000;
}

function xattrsOf(entry: TarEntry): Uint8Array | undefined {
  try {
    return encodeXattrList(new Map([...entry.xattrs].filter(([name]) => PUBLISHED_XATTR.test(name))));
  } catch (error) {
    throw new PublishError(
      'XATTR',
      `cannot publish the attributes of ${printable(entry.path)}: ${reason(error)}`,
      error,
    );
  }
}

function printable(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
