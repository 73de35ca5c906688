// What a server has to leave behind so that another one can answer for the node ids that the kernel holds: which catalog
// each number stands for, and what a switch of revisions kept. Records are JSON texts without newlines; each is in the
// journal before an answer names the first node id that depends on it.
import { ContentHash } from '../objects/hash.ts';
import type { NumberingRecord } from './numbering.ts';

export interface NodeJournal {
  /** Returns when the record outlives this process, be it killed at any moment. Throws when it cannot be written. */
  append(record: string): void;
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

export type JournalRecord = RootRecord | CatalogRecord | GroupRecord;

/** Where a journal leads to. */
export interface JournalState {
  readonly root: RootRecord;
  readonly catalogs: ReadonlyMap<number, CatalogRecord>;
  /** By catalog number: group to row. */
  readonly groupRows: ReadonlyMap<number, Map<number, number>>;
  readonly highestNumber: number;
  readonly inodeGauge: number;
}

export function encodeRecord(record: JournalRecord): string {
  return JSON.stringify(record);
}

/**
 * undefined for a journal that says nothing. A record that is cut off was never acted upon, and counts as not there.
 */
export function replayJournal(records: readonly string[]): JournalState | undefined {
  let root: RootRecord | undefined;
  const catalogs = new Map<number, CatalogRecord>();
  const groupRows = new Map<number, Map<number, number>>();
  let highestNumber = 0;
  let inodeGauge = 0;
  for (const text of records) {
    const record = decodeRecord(text);
    if (record?.kind === 'root') root = record;
    if (record?.kind === 'group') groupRows.get(record.number)?.set(record.group, record.row);
    if (record?.kind === 'catalog') {
      catalogs.set(record.number, record);
      groupRows.set(record.number, new Map(pairs(record.groupRows ?? [])));
      highestNumber = Math.max(highestNumber, record.number);
      inodeGauge = Math.max(inodeGauge, record.inodeGauge);
    }
  }
  if (!root || highestNumber === 0) return undefined;
  return { root, catalogs, groupRows, highestNumber, inodeGauge };
}

/** undefined for a text that is no whole record. */
export function decodeRecord(text: string): JournalRecord | undefined {
  let record: JournalRecord;
  try {
    record = JSON.parse(text) as JournalRecord;
  } catch {
    return undefined;
  }
  const hash = 'hash' in record ? ContentHash.parse(record.hash) : undefined;
  return record.kind === 'group' || hash ? record : undefined;
}

function* pairs(flat: readonly number[]): Generator<[number, number]> {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [flat[i], flat[i + 1]];
}
