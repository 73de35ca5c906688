// What a server has to leave behind so that another one can answer for the node ids that the kernel holds: which catalog
// each number stands for, and what a switch of revisions kept. Records are JSON texts without newlines; each is in the
// journal before an answer names the first node id that depends on it.
import { ContentHash } from '../objects/hash.ts';
import type { RootChoice } from '../repository/root.ts';
import type { NumberingRecord } from './numbering.ts';
import type { LeftNodeRecord } from './revision/left-node.ts';

export interface NodeJournal {
  /** Returns when the record outlives this process, be it killed at any moment. Throws when it cannot be written. */
  append(record: string): void;
  /** Puts what `condense` makes of all records in their place, if it is time for that; undefined: not now. */
  shorten?(condense: (records: readonly string[]) => readonly string[] | undefined): void;
  /** Those of the servers before this one, of the same mount, in order. Empty for a new mount. */
  readonly records: readonly string[];
}

/** The revision that is served. */
export interface RootRecord {
  readonly kind: 'root';
  readonly hash: string;
  readonly fixed: boolean;
  readonly alternativePath: boolean;
  readonly tagName?: string;
}

/** A catalog is attached. */
export interface CatalogRecord {
  readonly kind: 'catalog';
  readonly number: number;
  readonly hash: string;
  /** Bytes of the uncompressed database; 0: unknown. */
  readonly size: number;
  /** Latin-1. */
  readonly mountpoint: string;
  readonly mountNode: number;
  readonly parentNode: number;
  readonly nodes: NumberingRecord;
  /** Upper bound of the inode numbers given out, this catalog's included. */
  readonly inodeGauge: number;
  /** First row seen of each hard link group, in pairs. */
  readonly groupRows?: readonly number[];
}

/** A hard link group is seen for the first time, by this row. */
export interface GroupRecord {
  readonly kind: 'group';
  readonly number: number;
  readonly group: number;
  readonly row: number;
}

/** Another revision: these catalogs take the place of those with the numbers `detached`. */
export interface SwitchRecord {
  readonly kind: 'switch';
  readonly root: RootRecord;
  readonly catalogs: readonly CatalogRecord[];
  readonly detached: readonly number[];
}

/** The kernel was told of all differences of the last switch; nodes of earlier revisions that are in use are these. */
export interface SettledRecord {
  readonly kind: 'settled';
  readonly left: readonly LeftNodeRecord[];
}

/** In place of records that were left out: numbers up to these were given out. */
export interface SupplyRecord {
  readonly kind: 'supply';
  readonly highestNumber: number;
  readonly inodeGauge: number;
}

/** A talk command that changed how the mount works: the next server is told the same. Latin-1. */
export interface SettingRecord {
  readonly kind: 'setting';
  readonly words: string;
  readonly argument: string;
}

export type JournalRecord =
  | RootRecord
  | CatalogRecord
  | GroupRecord
  | SwitchRecord
  | SettledRecord
  | SupplyRecord
  | SettingRecord;

/** Where a journal leads to. */
export interface JournalState {
  readonly root: RootRecord;
  readonly catalogs: ReadonlyMap<number, CatalogRecord>;
  /** By catalog number: group to row. */
  readonly groupRows: ReadonlyMap<number, Map<number, number>>;
  readonly highestNumber: number;
  readonly inodeGauge: number;
  /** Nodes of earlier revisions that were in use. */
  readonly left: readonly LeftNodeRecord[];
  /** Catalogs of a revision that was left while the kernel was not told yet of all that differs; empty if it was. */
  readonly unsettled: readonly CatalogRecord[];
  /** Numbers of the catalogs that took their place. */
  readonly successors: readonly number[];
}

export function encodeRecord(record: JournalRecord): string {
  return JSON.stringify(record);
}

/**
 * undefined for a journal that says nothing. A record that is cut off was never acted upon, and counts as not there.
 */
export function replayJournal(records: readonly string[]): JournalState | undefined {
  return replayed(records).state;
}

/** In the order in which they were given last. Also of a journal that says nothing else. */
export function journalSettings(records: readonly string[]): readonly SettingRecord[] {
  return [...replayed(records).settings.values()];
}

function replayed(records: readonly string[]): Replay {
  const replay = new Replay();
  for (const text of records) {
    const record = decodeRecord(text);
    if (record) replay.add(record);
  }
  return replay;
}

/** Fewer records that lead to the same state; undefined while a switch is not settled, or where they lead to none. */
export function condenseJournal(records: readonly string[]): readonly string[] | undefined {
  const { state, settings } = replayed(records);
  if (!state || state.unsettled.length > 0) return undefined;
  const { root, catalogs, groupRows, highestNumber, inodeGauge, left } = state;
  const condensed: JournalRecord[] = [root, { kind: 'supply', highestNumber, inodeGauge }, ...settings.values()];
  for (const [number, catalog] of catalogs) {
    condensed.push({ ...catalog, groupRows: [...(groupRows.get(number) ?? [])].flat() });
  }
  return [...condensed, { kind: 'settled', left } as const].map(encodeRecord);
}

class Replay {
  #root: RootRecord | undefined;
  readonly #catalogs = new Map<number, CatalogRecord>();
  readonly #groupRows = new Map<number, Map<number, number>>();
  #highestNumber = 0;
  #inodeGauge = 0;
  #left: readonly LeftNodeRecord[] = [];
  #unsettled: CatalogRecord[] = [];
  #successors: readonly number[] = [];
  /** By the words of their commands. */
  readonly settings = new Map<string, SettingRecord>();

  add(record: JournalRecord): void {
    switch (record.kind) {
      case 'root':
        this.#root = record;
        break;
      case 'catalog':
        this.#attach(record);
        break;
      case 'group':
        this.#groupRows.get(record.number)?.set(record.group, record.row);
        break;
      case 'switch':
        this.#root = record.root;
        this.#successors = record.catalogs.map(({ number }) => number);
        for (const number of record.detached) this.#detach(number);
        for (const catalog of record.catalogs) this.#attach(catalog);
        break;
      case 'supply':
        this.#highestNumber = Math.max(this.#highestNumber, record.highestNumber);
        this.#inodeGauge = Math.max(this.#inodeGauge, record.inodeGauge);
        break;
      case 'settled':
        this.#left = record.left;
        this.#unsettled = [];
        break;
      case 'setting':
        this.settings.delete(record.words);
        this.settings.set(record.words, record);
        break;
    }
  }

  get state(): JournalState | undefined {
    if (!this.#root || this.#highestNumber === 0) return undefined;
    return {
      root: this.#root,
      catalogs: this.#catalogs,
      groupRows: this.#groupRows,
      highestNumber: this.#highestNumber,
      inodeGauge: this.#inodeGauge,
      left: this.#left,
      unsettled: this.#unsettled,
      successors: this.#successors,
    };
  }

  #attach(record: CatalogRecord): void {
    const { number, inodeGauge, groupRows = [] } = record;
    this.#catalogs.set(number, record);
    this.#groupRows.set(number, new Map(pairs(groupRows)));
    this.#highestNumber = Math.max(this.#highestNumber, number);
    this.#inodeGauge = Math.max(this.#inodeGauge, inodeGauge);
  }

  #detach(number: number): void {
    const record = this.#catalogs.get(number);
    if (!record) return;
    const groupRows = [...(this.#groupRows.get(number) ?? [])].flat();
    this.#unsettled.push({ ...record, groupRows });
    this.#catalogs.delete(number);
    this.#groupRows.delete(number);
  }
}

export function rootRecord({ rootHash, fixed, alternativePath, tagName }: RootChoice): RootRecord {
  return { kind: 'root', hash: rootHash.toString(), fixed, alternativePath, tagName };
}

/** It was verified by the server before. */
export function rootChoice({ hash, fixed, alternativePath, tagName }: RootRecord): RootChoice {
  return { rootHash: ContentHash.parse(hash) as ContentHash, fixed, alternativePath, tagName };
}

/** undefined for a text that is no whole record. */
export function decodeRecord(text: string): JournalRecord | undefined {
  let record: JournalRecord;
  try {
    record = JSON.parse(text) as JournalRecord;
  } catch {
    return undefined;
  }
  if (record.kind !== 'root' && record.kind !== 'catalog') return record;
  return ContentHash.parse(record.hash) ? record : undefined;
}

/** Of a list that holds them one after the other. */
export function* pairs(flat: readonly number[]): Generator<[number, number]> {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [flat[i], flat[i + 1]];
}
