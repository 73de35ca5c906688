// What the kernel keeps of a mount, as far as revisions matter: names (also of what does not exist), attributes, lists and
// pages, for ever; an inode for as long as it has a name or a user.

import type { KernelCache } from '../../../src/filesystem/revision/kernel-cache.ts';
import type { NotificationOutcome } from '../../../src/fuse/notify.ts';
import type { Attributes, Operations } from '../../../src/fuse/operations.ts';
import { CALLER, list, settled } from '../made-file-system.ts';

interface Inode {
  readonly node: number;
  /** Dentries: a node, or 0 for a name that does not exist. */
  readonly names: Map<string, number>;
  attributes: Attributes | undefined;
  names_listed: string[] | undefined;
  pages: string | undefined;
  /** Names that lead to it. */
  uses: number;
  opens: number;
}

const DIRECTORY = 0o040000;
const TYPE = 0o170000;
const ROOT = 1;

export class KernelModel implements KernelCache {
  #operations: Operations;
  readonly #inodes = new Map<number, Inode>();
  reads = 0;
  messages = 0;

  constructor(operations: Operations) {
    this.#operations = operations;
    this.#inode(ROOT).uses = 1;
  }

  /** Another server answers from here on. */
  served(operations: Operations): void {
    this.#operations = operations;
  }

  has(node: number): boolean {
    return this.#inodes.has(node);
  }

  /** The node, 0 if there is none. */
  async lookup(parent: number, name: string): Promise<number> {
    const directory = this.#inode(parent);
    const known = directory.names.get(name);
    if (known !== undefined) return known;
    const entry = await settled(() => this.#operations.lookup(parent, name, CALLER));
    directory.names.set(name, entry?.node ?? 0);
    if (!entry) return 0;
    const inode = this.#inode(entry.node);
    inode.uses++;
    inode.attributes = entry.attributes;
    return entry.node;
  }

  async walk(path: string): Promise<number> {
    let node = ROOT;
    for (const name of path.split('/').filter(Boolean)) {
      if (node === 0 || ((await this.stat(node)).mode & TYPE) !== DIRECTORY) return 0;
      node = await this.lookup(node, name);
    }
    return node;
  }

  async stat(node: number): Promise<Attributes> {
    const inode = this.#inode(node);
    inode.attributes ??= await settled(() => this.#operations.getattr(node, CALLER));
    return inode.attributes;
  }

  async list(node: number): Promise<string[]> {
    const inode = this.#inode(node);
    inode.names_listed ??= await settled(() => list(this.#operations, node, 3));
    return inode.names_listed.filter((name) => name !== '.' && name !== '..').sort();
  }

  async read(node: number): Promise<string> {
    const inode = this.#inode(node);
    if (inode.pages === undefined) {
      this.reads++;
      const target = Buffer.alloc(100);
      const length = await settled(() => this.#operations.read(node, 0, target, CALLER));
      inode.pages = target.toString('latin1', 0, length);
    }
    return inode.pages;
  }

  /** Where links lead to stays with the inode. */
  async readlink(node: number): Promise<string> {
    const inode = this.#inode(node);
    inode.pages ??= Buffer.from(await settled(() => this.#operations.readlink(node, CALLER))).toString('latin1');
    return inode.pages;
  }

  open(node: number): void {
    this.#inode(node).opens++;
  }

  close(node: number): void {
    this.#inode(node).opens--;
    for (const inode of this.#inodes.values()) if (inode.uses === 0) this.#release(inode);
  }

  /** As memory pressure does: forgets what is not in use, pages only. */
  dropPages(node: number): void {
    this.#inode(node).pages = undefined;
  }

  async invalidateInode(
    node: number,
    part: 'attributes' | 'attributes and content' = 'attributes and content',
  ): Promise<NotificationOutcome> {
    this.messages++;
    const inode = this.#inodes.get(node);
    if (!inode) return 'not-cached';
    inode.attributes = undefined;
    if (part === 'attributes and content') {
      inode.names_listed = undefined;
      inode.pages = undefined;
    }
    return 'done';
  }

  async invalidateEntry(parent: number, name: string): Promise<NotificationOutcome> {
    this.messages++;
    const directory = this.#inodes.get(parent);
    const node = directory?.names.get(name);
    if (!directory || node === undefined) return 'not-cached';
    directory.names.delete(name);
    directory.names_listed = undefined;
    if (node !== 0) this.#drop(node);
    return 'done';
  }

  #inode(node: number): Inode {
    let inode = this.#inodes.get(node);
    if (!inode) {
      inode = {
        node,
        names: new Map(),
        attributes: undefined,
        names_listed: undefined,
        pages: undefined,
        uses: 0,
        opens: 0,
      };
      this.#inodes.set(node, inode);
    }
    return inode;
  }

  /** A name is gone. */
  #drop(node: number): void {
    const inode = this.#inodes.get(node);
    if (!inode || --inode.uses > 0) return;
    this.#release(inode);
  }

  /** Nothing leads to it any more: it goes with all below, but for what is open, and the directories above that. */
  #release(inode: Inode): void {
    for (const [name, child] of inode.names) {
      if (child !== 0 && this.#isPinned(child)) continue;
      inode.names.delete(name);
      if (child !== 0) this.#drop(child);
    }
    if (inode.opens === 0 && inode.names.size === 0) this.#inodes.delete(inode.node);
  }

  #isPinned(node: number): boolean {
    const inode = this.#inodes.get(node);
    return inode !== undefined && (inode.opens > 0 || [...inode.names.values()].some((child) => this.#isPinned(child)));
  }
}
