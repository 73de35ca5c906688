// Nodes of earlier revisions. Right after a switch any of them may still be asked for, so the catalogs that were replaced
// stay open; once the kernel was told what differs and has said what it holds on to, only that is kept. Nobody counts look-ups
// and FORGETs for this: INVAL_INODE answers ENOENT for a node that the kernel does not have, and costs it nothing.
import type { CatalogEntry } from '../../repository/catalog.ts';
import type { AttachedCatalog } from '../attached-catalog.ts';
import { type LeftNode, type LeftNodeRecord, leftNodeOf, recordOf } from './left-node.ts';

export type Describe = (attached: AttachedCatalog, entry: CatalogEntry) => LeftNode;

export class LeftNodes {
  readonly #describe: Describe;
  readonly #kept = new Map<number, LeftNode>();
  #replaced: readonly AttachedCatalog[] = [];

  /** `describe` tells all about a row of a catalog that was replaced. */
  constructor(describe: Describe, records: readonly LeftNodeRecord[] = []) {
    this.#describe = describe;
    for (const record of records) this.#kept.set(record.node, leftNodeOf(record));
  }

  /** False while there is no use in asking. */
  get any(): boolean {
    return this.#kept.size > 0 || this.#replaced.length > 0;
  }

  /** Nodes that are kept by themselves. */
  get nodes(): number[] {
    return [...this.#kept.keys()];
  }

  /** Only to be asked for a node that is not in the present revision. */
  get(node: number): LeftNode | undefined {
    return this.#kept.get(node) ?? this.#inReplaced(node);
  }

  /** Takes over catalogs that were replaced, and keeps them open until `settle`. */
  replaced(catalogs: readonly AttachedCatalog[]): void {
    this.#replaced = [...this.#replaced, ...catalogs];
  }

  /** Somebody uses the node: it is kept when the catalogs are closed. */
  keep(node: number): void {
    const found = this.#inReplaced(node);
    if (found) this.#kept.set(node, found);
  }

  forget(node: number): void {
    this.#kept.delete(node);
  }

  /** Closes the catalogs that were replaced. Gives what is kept. */
  settle(): LeftNodeRecord[] {
    for (const attached of this.#replaced) attached.close();
    this.#replaced = [];
    return [...this.#kept].map(([node, left]) => recordOf(node, left));
  }

  #inReplaced(node: number): LeftNode | undefined {
    for (const attached of this.#replaced) {
      const { nodes, groupRows } = attached;
      const row = nodes.rowOfNode(node) || groupRows.get(nodes.groupOfNode(node));
      const entry = row ? attached.catalog.row(row) : undefined;
      if (entry) return this.#describe(attached, entry);
    }
    return undefined;
  }
}
