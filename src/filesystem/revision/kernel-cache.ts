// After a switch: makes the kernel forget what differs, and nothing else. What is unchanged keeps its names and pages, and
// with them every mount, working directory and overlay below. In directories that the kernel does not have it knows no names.
import type { InodePart, NotificationOutcome } from '../../fuse/notify.ts';
import type { CatalogEntry } from '../../repository/catalog.ts';
import { type AttachedCatalog, nodeOf } from '../attached-catalog.ts';
import { isDirectory } from '../attributes.ts';
import type { CatalogTree } from '../catalog-tree.ts';
import { catalogNumberOf } from '../node-id.ts';
import type { Differences } from './differences.ts';
import { isGrouped } from './hard-link-groups.ts';
import type { LeftNodes } from './left-nodes.ts';
import { SLICE, turn } from './turns.ts';

/** Notifications are written one after the other, never on the thread that answers requests. */
export interface KernelCache {
  invalidateInode(node: number, part?: InodePart): Promise<NotificationOutcome>;
  invalidateEntry(parent: number, name: string): Promise<NotificationOutcome>;
}

/** The part of Differences that the kernel has to be told. */
export interface KernelDifferences extends Pick<Differences, 'vanished' | 'altered' | 'relisted'> {
  readonly attachments: readonly {
    readonly place: { readonly number: number; readonly mountpoint: string };
    readonly appeared: readonly number[];
  }[];
}

export class Invalidation {
  readonly #kernel: KernelCache;
  readonly #tree: CatalogTree;
  readonly #left: LeftNodes;
  readonly #differences: KernelDifferences;
  readonly #replacedByNode = new Map<number, AttachedCatalog>();
  /** Directories that were told that their list is another, and whether the kernel has them. */
  readonly #directories = new Map<number, boolean>();
  readonly #firstNumber: number;
  /** Messages that were written. */
  sent = 0;

  /** `tree` is in the new revision already. */
  constructor(kernel: KernelCache, tree: CatalogTree, left: LeftNodes, differences: KernelDifferences) {
    this.#kernel = kernel;
    this.#tree = tree;
    this.#left = left;
    this.#differences = differences;
    for (const attached of differences.vanished.keys()) this.#replacedByNode.set(attached.mountNode, attached);
    this.#firstNumber = differences.attachments.reduce(
      (lowest, { place }) => Math.min(lowest, place.number),
      Number.POSITIVE_INFINITY,
    );
  }

  /** Resolves when nothing stale is left. */
  async run(): Promise<void> {
    for (const [attached, rows] of this.#differences.vanished) {
      await this.#each(rows, (row) => this.#vanished(attached, row));
    }
    for (const { place, appeared } of this.#differences.attachments) {
      const attached = this.#tree.attachments.get(place.mountpoint);
      if (attached?.number !== place.number) continue;
      await this.#each(appeared, (row) => this.#appeared(attached, row));
    }
    for (const node of this.#differences.relisted) await this.#directory(node);
    for (const node of this.#differences.altered) {
      if (!this.#directories.has(node)) await this.#inode(node, 'attributes');
    }
  }

  /** Most are in directories that the kernel does not have: nothing is waited for then. */
  async #each(rows: readonly number[], tell: (row: number) => Promise<void>): Promise<void> {
    for (const [i, row] of rows.entries()) {
      if (i % SLICE === 0) await turn();
      await tell(row);
    }
  }

  async #vanished(attached: AttachedCatalog, row: number): Promise<void> {
    const { catalog } = attached;
    const entry = catalog.row(row);
    const parentRow = entry ? catalog.parentRow(entry) : 0;
    if (!entry || parentRow === 0) return;
    const parent = nodeOf(attached, parentRow);
    // With its directory it goes by itself.
    if (!this.#tree.locate(parent) || !(await this.#directory(parent))) return;
    if (await this.#name(parent, entry.name)) await this.#leave(attached, entry);
  }

  /** The kernel may remember that there was no such name. */
  async #appeared(attached: AttachedCatalog, row: number): Promise<void> {
    const { catalog } = attached;
    const entry = catalog.row(row);
    const parentRow = entry ? catalog.parentRow(entry) : 0;
    if (!entry || parentRow === 0) return;
    const parent = nodeOf(attached, parentRow);
    if (catalogNumberOf(parent) >= this.#firstNumber || !(await this.#directory(parent))) return;
    await this.#name(parent, entry.name);
  }

  /** Keeps a node whose name is gone if it is in use; below a directory that is, others may be. */
  async #leave(attached: AttachedCatalog, entry: CatalogEntry): Promise<void> {
    const waiting: [AttachedCatalog, CatalogEntry][] = [[attached, entry]];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [place, row] = next;
      const { nodes } = place;
      const node = isGrouped(row) ? nodes.nodeOfGroup(row.hardlinkGroup) : nodes.nodeOfRow(row.rowid);
      if (this.#tree.locate(node) || !(await this.#inode(node, 'attributes'))) continue;
      this.#left.keep(node);
      if (isDirectory(row)) for (const child of this.#children(node, place, row)) waiting.push(child);
    }
  }

  #children(node: number, place: AttachedCatalog, directory: CatalogEntry): [AttachedCatalog, CatalogEntry][] {
    const nested = this.#replacedByNode.get(node);
    const attached = nested ?? place;
    const { catalog } = attached;
    const entry = nested ? catalog.row(catalog.rootRow) : directory;
    const rows: number[] = [];
    if (entry) catalog.children(entry, rows);
    return rows.flatMap((row): [AttachedCatalog, CatalogEntry][] => {
      const child = catalog.row(row);
      return child ? [[attached, child]] : [];
    });
  }

  /** False: the kernel does not have the directory, and so no name in it. */
  async #directory(node: number): Promise<boolean> {
    const known = this.#directories.get(node);
    if (known !== undefined) return known;
    const cached = await this.#inode(node, 'attributes and content');
    this.#directories.set(node, cached);
    return cached;
  }

  async #inode(node: number, part: InodePart): Promise<boolean> {
    this.sent++;
    return (await this.#kernel.invalidateInode(node, part)) === 'done';
  }

  async #name(parent: number, name: string): Promise<boolean> {
    this.sent++;
    return (await this.#kernel.invalidateEntry(parent, name)) === 'done';
  }
}

/** Nodes of earlier revisions that nobody uses any more are given up. */
export async function forgetUnused(kernel: KernelCache, left: LeftNodes): Promise<void> {
  for (const node of left.nodes) {
    if ((await kernel.invalidateInode(node, 'attributes')) !== 'done') left.forget(node);
  }
}
