// A file system of plain objects, for tests and benchmarks of the FUSE layer: what it serves is known, and it counts what it is asked.

import { EACCES, EINVAL } from '../../src/fuse/errno.ts';
import {
  type Attributes,
  type Caller,
  type DirectorySink,
  type Entry,
  Errno,
  type FileSystemStatus,
  type OpenFlags,
  type Operations,
  Pending,
  ROOT_NODE,
} from '../../src/fuse/operations.ts';

export const DIRECTORY = 0o040000;
export const REGULAR = 0o100000;
export const SYMLINK = 0o120000;

const ENODATA = 61;
const ESTALE = 116;

export interface Node {
  entry: Entry;
  parent: Node;
  /** Of a directory. */
  children?: Map<string, Node>;
  /** `children` as a list, until they change. */
  listing?: Array<readonly [string, Node]>;
  content: Uint8Array;
  xattrs: Map<string, Uint8Array>;
}

export class MemoryFileSystem implements Operations {
  readonly root: Node;
  readonly counts = new Map<string, number>();
  /** Names whose lookup, and nodes whose read, waits for the promise. */
  readonly gates = new Map<string | number, Promise<unknown>>();
  readonly #nodes = new Map<number, Node>();

  constructor() {
    this.root = this.#make(undefined, DIRECTORY | 0o755, new Uint8Array());
  }

  /** All directories on the way are made. Names in Latin-1. */
  directory(path: string, mode = 0o755): Node {
    let node = this.root;
    for (const name of path.split('/').filter(Boolean)) {
      node = node.children!.get(name) ?? this.#add(node, name, DIRECTORY | mode, new Uint8Array());
    }
    return node;
  }

  file(path: string, content: string | Uint8Array, mode = 0o644, mtime = 1_700_000_000): Node {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    return this.#add(this.directory(parentOf(path)), nameOf(path), REGULAR | mode, bytes, mtime);
  }

  symlink(path: string, target: string): Node {
    return this.#add(this.directory(parentOf(path)), nameOf(path), SYMLINK | 0o777, Buffer.from(target, 'latin1'));
  }

  remove(path: string): void {
    const directory = this.directory(parentOf(path));
    directory.children!.delete(nameOf(path));
    directory.listing = undefined;
  }

  /** New content under the same node: only what invalidation makes visible. */
  rewrite(node: number, content: Uint8Array): void {
    const file = this.#node(node);
    file.content = content;
    file.entry.attributes = { ...file.entry.attributes, size: content.length };
  }

  total(...operations: string[]): number {
    let sum = 0;
    for (const [name, count] of this.counts) if (operations.length === 0 || operations.includes(name)) sum += count;
    return sum;
  }

  lookup(parent: number, name: string): Entry | undefined {
    this.#count('lookup');
    this.#await(name);
    const directory = this.#node(parent);
    if (name === '.') return directory.entry;
    if (name === '..') return directory.parent.entry;
    if (name.startsWith('broken')) throw new Error('a defect of the file system');
    return directory.children?.get(name)?.entry;
  }

  getattr(node: number): Attributes {
    this.#count('getattr');
    return this.#node(node).entry.attributes;
  }

  readlink(node: number): Uint8Array {
    this.#count('readlink');
    return this.#node(node).content;
  }

  open(node: number): OpenFlags {
    this.#count('open');
    this.#node(node);
    return { keepCache: true };
  }

  opendir(node: number): OpenFlags {
    this.#count('opendir');
    this.#node(node);
    return { keepCache: true };
  }

  read(node: number, offset: number, target: Uint8Array): number {
    this.#count('read');
    this.#await(node);
    const { content } = this.#node(node);
    const end = Math.min(offset + target.length, content.length);
    if (end <= offset) return 0;
    target.set(content.subarray(offset, end));
    return end - offset;
  }

  readdir(node: number, offset: number, sink: DirectorySink): void {
    this.#count('readdir');
    const directory = this.#node(node);
    if (directory.children === undefined) throw new Errno(EINVAL);
    directory.listing ??= [['.', directory], ['..', directory.parent], ...directory.children];
    const list = directory.listing;
    for (let i = offset; i < list.length; i++) {
      const [name, node] = list[i];
      if (!sink.add(name, node.entry, i + 1)) return;
    }
  }

  statfs(): FileSystemStatus {
    this.#count('statfs');
    return { blocks: 1000, blocksFree: 10, files: 2000, filesFree: 20, blockSize: 4096, nameLength: 255 };
  }

  getxattr(node: number, name: string): Uint8Array {
    this.#count('getxattr');
    const value = this.#node(node).xattrs.get(name);
    if (value === undefined) throw new Errno(ENODATA);
    return value;
  }

  listxattr(node: number): string[] {
    this.#count('listxattr');
    return [...this.#node(node).xattrs.keys()];
  }

  access(node: number, mask: number, caller: Caller): void {
    this.#count('access');
    const { mode, uid } = this.#node(node).entry.attributes;
    const allowed = caller.uid === uid ? mode >> 6 : mode;
    // Like the kernel: root may do all but run what nobody may run.
    const granted = caller.uid === 0 ? 6 | (mode & 0o111 ? 1 : 0) : allowed & 7;
    if ((mask & ~granted) !== 0) throw new Errno(EACCES);
  }

  #add(directory: Node, name: string, mode: number, content: Uint8Array, mtime?: number): Node {
    const node = this.#make(directory, mode, content, mtime);
    directory.children!.set(name, node);
    directory.listing = undefined;
    return node;
  }

  #make(parent: Node | undefined, mode: number, content: Uint8Array, mtime = 1_700_000_000): Node {
    const id = ROOT_NODE + this.#nodes.size;
    const isDirectory = (mode & 0o170000) === DIRECTORY;
    const attributes: Attributes = {
      ino: id,
      size: isDirectory ? 4096 : content.length,
      blocks: Math.ceil(content.length / 512),
      mtime,
      mtimeNs: 123_456_789,
      mode,
      nlink: isDirectory ? 2 : 1,
      uid: 0,
      gid: 0,
      rdev: 0,
    };
    const node = { entry: { node: id, attributes }, content, xattrs: new Map() } as unknown as Node;
    node.parent = parent ?? node;
    if (isDirectory) node.children = new Map();
    this.#nodes.set(id, node);
    return node;
  }

  #count(operation: string): void {
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1);
  }

  #await(key: string | number): void {
    const gate = this.gates.get(key);
    if (gate !== undefined) throw new Pending(gate);
  }

  #node(id: number): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Errno(ESTALE);
    return node;
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
