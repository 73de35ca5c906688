// What is new in a revision: the node ids of its catalogs' rows, and all that the kernel may hold and must not any longer.
// Made in slices, since a catalog may have a million rows and requests want to be answered meanwhile.
import type { CatalogEntry } from '../../repository/catalog.ts';
import { type AttachedCatalog, type CatalogPlace, nodeOf } from '../attached-catalog.ts';
import { nodeOfGroup, nodeOfRow } from '../node-id.ts';
import { KeptNumbering } from '../numbering.ts';
import { RunMapBuilder } from '../run-map.ts';
import { HardLinkGroups, isGrouped, type KeptGroup } from './hard-link-groups.ts';
import { type Match, RowMatcher } from './row-matcher.ts';
import { haveSameAttributes, isListedAlike, isSameNode } from './same-entry.ts';
import type { Succession, Successor } from './succession.ts';
import { SLICE } from './turns.ts';

export interface NewAttachment {
  readonly successor: Successor;
  readonly place: CatalogPlace;
  /** By group number in this catalog: where its first row seen is to be taken from. */
  readonly keptGroups: ReadonlyMap<number, KeptGroup>;
  /** Rows whose names have no node that was there before. */
  readonly appeared: readonly number[];
}

export interface Differences {
  readonly attachments: readonly NewAttachment[];
  /** Rows of replaced catalogs whose node is gone. */
  readonly vanished: ReadonlyMap<AttachedCatalog, readonly number[]>;
  /** Nodes that are kept and have other attributes. */
  readonly altered: readonly number[];
  /** Directories in which a name became visible or invisible. */
  readonly relisted: readonly number[];
  readonly inodeGauge: number;
}

/** Numbers that are not given out yet. */
export interface NumberSupply {
  readonly nextNumber: number;
  readonly inodeGauge: number;
}

/** To be stepped through; throws what reading a damaged catalog throws. */
export function* compareRevisions(succession: Succession, supply: NumberSupply): Generator<void, Differences> {
  const comparison = new Comparison(succession.replaced, supply);
  for (const successor of succession.successors) yield* comparison.compare(successor);
  yield* comparison.searchReplaced();
  return comparison.result();
}

/** One catalog of the new revision, compared with those before it. */
interface Compared {
  readonly successor: Successor;
  readonly number: number;
  readonly nodes: RunMapBuilder;
  readonly inodes: RunMapBuilder;
  readonly groups: HardLinkGroups;
  readonly appeared: number[];
}

/** What is known of a catalog that is replaced. */
interface Replaced {
  /** 1 for rows whose node is kept; of hard links only once their group is. */
  readonly kept: Uint8Array;
  readonly vanished: number[];
  /** Rows of each hard link group. */
  readonly groups: Map<number, number[]>;
}

class Comparison {
  readonly #number: number;
  #inodeGauge: number;
  readonly #compared: Compared[] = [];
  readonly #replaced = new Map<AttachedCatalog, Replaced>();
  readonly #altered: number[] = [];
  readonly #relisted = new Set<number>();

  constructor(replaced: readonly AttachedCatalog[], { nextNumber, inodeGauge }: NumberSupply) {
    this.#number = nextNumber;
    this.#inodeGauge = inodeGauge;
    for (const attached of replaced) {
      const kept = new Uint8Array(attached.catalog.maxRowid + 1);
      this.#replaced.set(attached, { kept, vanished: [], groups: new Map() });
    }
  }

  *compare(successor: Successor): Generator<void, void> {
    const { catalog } = successor;
    const compared: Compared = {
      successor,
      number: this.#number + this.#compared.length,
      nodes: new RunMapBuilder(),
      inodes: new RunMapBuilder(),
      groups: new HardLinkGroups(),
      appeared: [],
    };
    this.#compared.push(compared);
    const matcher = new RowMatcher(successor);
    let count = 0;
    for (const entry of catalog.rows()) {
      if (++count % SLICE === 0) yield;
      const match = matcher.find(entry);
      if (entry.rowid === catalog.rootRow) this.#compareRoot(compared, entry, match);
      else this.#compareRow(compared, entry, match);
    }
  }

  /** Finds what is gone: all rows of the catalogs before that nobody has taken over. */
  *searchReplaced(): Generator<void, void> {
    for (const [{ catalog }, { kept, vanished, groups }] of this.#replaced) {
      let count = 0;
      for (const entry of catalog.rows()) {
        if (++count % SLICE === 0) yield;
        if (isGrouped(entry)) addTo(groups, entry.hardlinkGroup, entry.rowid);
        else if (kept[entry.rowid] === 0 && entry.rowid !== catalog.rootRow) vanished.push(entry.rowid);
      }
    }
  }

  result(): Differences {
    const attachments = this.#compared.map((compared) => this.#attachment(compared));
    const vanished = new Map<AttachedCatalog, number[]>();
    for (const [attached, replaced] of this.#replaced) {
      const rows = [...replaced.groups.values()].flat().filter((row) => replaced.kept[row] === 0);
      vanished.set(attached, replaced.vanished.concat(rows));
    }
    const inodeGauge = this.#inodeGauge;
    return { attachments, vanished, altered: this.#altered, relisted: [...this.#relisted], inodeGauge };
  }

  /** The root's node is always the same. That of a nested catalog has its row in the catalog above. */
  #compareRoot({ successor, nodes, inodes, number }: Compared, entry: CatalogEntry, match: Match | undefined): void {
    const isRoot = successor.mountpoint === '';
    nodes.add(entry.rowid, nodeOfRow(number, entry.rowid));
    inodes.add(entry.rowid, isRoot && match ? match.attached.nodes.inodeOfRow(match.entry.rowid) : this.#newInode());
    if (isRoot && match && !haveSameAttributes(match.entry, entry)) this.#altered.push(successor.mountNode);
  }

  #compareRow(compared: Compared, entry: CatalogEntry, match: Match | undefined): void {
    const { successor, groups, nodes, inodes, number, appeared } = compared;
    const { catalog } = successor;
    const same =
      match !== undefined && isSameNode({ catalog: match.attached.catalog, entry: match.entry }, { catalog, entry });
    nodes.add(entry.rowid, same ? match.attached.nodes.nodeOfRow(match.entry.rowid) : nodeOfRow(number, entry.rowid));
    inodes.add(entry.rowid, same ? match.attached.nodes.inodeOfRow(match.entry.rowid) : this.#newInode());
    if (isGrouped(entry)) {
      groups.add(entry, same ? match : undefined);
    } else if (same) {
      this.#keep(match, entry, match.attached.nodes.nodeOfRow(match.entry.rowid));
    } else {
      appeared.push(entry.rowid);
    }
  }

  #keep({ attached, entry: old }: Match, entry: CatalogEntry, node: number): void {
    const replaced = this.#replaced.get(attached);
    if (replaced) replaced.kept[old.rowid] = 1;
    if (!haveSameAttributes(old, entry)) this.#altered.push(node);
    if (isListedAlike(old, entry)) return;
    const parentRow = attached.catalog.parentRow(old);
    if (parentRow !== 0) this.#relisted.add(nodeOf(attached, parentRow));
  }

  #newInode(): number {
    return ++this.#inodeGauge;
  }

  #attachment({ successor, number, nodes, inodes, groups, appeared }: Compared): NewAttachment {
    const groupNodes = new RunMapBuilder();
    const keptGroups = new Map<number, KeptGroup>();
    for (const group of groups.numbers) {
      const before = groups.before(
        group,
        (attached, old) => this.#replaced.get(attached)?.groups.get(old)?.length ?? 0,
      );
      if (before) {
        keptGroups.set(group, before);
        const node = before.attached.nodes.nodeOfGroup(before.oldGroup);
        groupNodes.add(group, node);
        this.#keepGroup(successor, groups, group, before, node);
      } else {
        groupNodes.add(group, nodeOfGroup(number, group));
        for (const row of groups.members(group).rows) appeared.push(row);
      }
    }
    const { mountpoint, mountNode, parentNode } = successor;
    const numbering = new KeptNumbering(nodes.build(), inodes.build(), groupNodes.build());
    const place = { number, mountpoint, mountNode, parentNode, nodes: numbering, groupRows: new Map() };
    return { successor, place, keptGroups, appeared };
  }

  #keepGroup(successor: Successor, groups: HardLinkGroups, group: number, before: KeptGroup, node: number): void {
    const { rows, oldRows } = groups.members(group);
    const { kept } = this.#replaced.get(before.attached) as Replaced;
    for (const row of oldRows) kept[row] = 1;
    const [old, entry] = [before.attached.catalog.row(oldRows[0]), successor.catalog.row(rows[0])];
    if (old && entry && !haveSameAttributes(old, entry)) this.#altered.push(node);
  }
}

function addTo(map: Map<number, number[]>, key: number, value: number): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
