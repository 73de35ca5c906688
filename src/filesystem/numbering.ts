// The node ids and inode numbers of one catalog's rows and hard link groups. In the revision in which a catalog is first
// attached they follow from its number; a catalog that takes the place of an older one keeps those of what did not change.
import { catalogNumberOf, groupOf, nodeOfGroup, nodeOfRow, rowOf } from './node-id.ts';
import { RunMap } from './run-map.ts';

/** Row or hard link group; 0 where a node stands for nothing (any more). */
export interface Numbering {
  nodeOfRow(row: number): number;
  /** st_ino, apart from the node id: it stays small (client.md §5.2). */
  inodeOfRow(row: number): number;
  nodeOfGroup(group: number): number;
  rowOfNode(node: number): number;
  groupOfNode(node: number): number;
  /** Catalog numbers that occur in the node ids. */
  readonly numbers: readonly number[];
  /** Plain data, for the journal. */
  readonly record: NumberingRecord;
}

export type NumberingRecord =
  | { readonly number: number; readonly inodeOffset: number }
  | { readonly nodes: readonly number[]; readonly inodes: readonly number[]; readonly groups: readonly number[] };

export function numberingOf(record: NumberingRecord): Numbering {
  if ('number' in record) return new PlainNumbering(record.number, record.inodeOffset);
  return new KeptNumbering(new RunMap(record.nodes), new RunMap(record.inodes), new RunMap(record.groups));
}

/** Node ids are the catalog's number and the row, inode numbers the row plus an offset. */
export class PlainNumbering implements Numbering {
  readonly #number: number;
  readonly #inodeOffset: number;

  constructor(number: number, inodeOffset: number) {
    this.#number = number;
    this.#inodeOffset = inodeOffset;
  }

  nodeOfRow(row: number): number {
    return nodeOfRow(this.#number, row);
  }

  inodeOfRow(row: number): number {
    return row + this.#inodeOffset;
  }

  nodeOfGroup(group: number): number {
    return nodeOfGroup(this.#number, group);
  }

  rowOfNode(node: number): number {
    return catalogNumberOf(node) === this.#number ? (rowOf(node) ?? 0) : 0;
  }

  groupOfNode(node: number): number {
    return catalogNumberOf(node) === this.#number && rowOf(node) === undefined ? groupOf(node) : 0;
  }

  get numbers(): number[] {
    return [this.#number];
  }

  get record(): NumberingRecord {
    return { number: this.#number, inodeOffset: this.#inodeOffset };
  }
}

export class KeptNumbering implements Numbering {
  readonly #nodes: RunMap;
  readonly #inodes: RunMap;
  readonly #groups: RunMap;
  readonly #rows: RunMap;
  readonly #groupsByNode: RunMap;
  readonly numbers: readonly number[];

  /** Of each row and each group of the catalog. */
  constructor(nodes: RunMap, inodes: RunMap, groups: RunMap) {
    this.#nodes = nodes;
    this.#inodes = inodes;
    this.#groups = groups;
    this.#rows = nodes.inverse();
    this.#groupsByNode = groups.inverse();
    const starts = [...nodes.triples(), ...groups.triples()].filter((_, i) => i % 3 === 1);
    this.numbers = [...new Set(starts.map(catalogNumberOf))];
  }

  nodeOfRow(row: number): number {
    return this.#nodes.get(row);
  }

  inodeOfRow(row: number): number {
    return this.#inodes.get(row);
  }

  nodeOfGroup(group: number): number {
    return this.#groups.get(group);
  }

  rowOfNode(node: number): number {
    return Math.max(0, this.#rows.get(node));
  }

  groupOfNode(node: number): number {
    return Math.max(0, this.#groupsByNode.get(node));
  }

  get record(): NumberingRecord {
    return { nodes: this.#nodes.triples(), inodes: this.#inodes.triples(), groups: this.#groups.triples() };
  }
}
