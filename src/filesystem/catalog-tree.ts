// The catalogs of one mounted revision: the root catalog, and nested ones attached when a path below them is first asked
// for (client.md §3.7). Synchronous; a catalog that is not local yet is fetched and the request tried again.
import { Errno, Pending, ROOT_NODE } from '../fuse/operations.ts';
import { ContentHash } from '../objects/hash.ts';
import type { ObjectRequest, ObjectStore } from '../objects/object.ts';
import { Catalog, type NestedCatalog } from '../repository/catalog.ts';
import { AttachedCatalog, type CatalogPlace } from './attached-catalog.ts';
import { EIO } from './errno.ts';
import { catalogNumberOf, MAX_CATALOG_NUMBER } from './node-id.ts';
import {
  type CatalogRecord,
  encodeRecord,
  type JournalState,
  type NodeJournal,
  pairs,
  type RootRecord,
} from './node-journal.ts';
import { numberingOf, PlainNumbering } from './numbering.ts';
import type { Differences, NumberSupply } from './revision/differences.ts';
import type { KeptGroup } from './revision/hard-link-groups.ts';

/** st_ino 1 to 255 are reserved, as in the reference client (client.md §5.2). */
const FIRST_INODE = 255;

/** A row together with the catalog it is in. */
export interface Place {
  readonly attached: AttachedCatalog;
  readonly row: number;
}

export interface CatalogTreeOptions {
  readonly store: ObjectStore;
  /** Verified already. */
  readonly root: Catalog;
  /** Gets a line for each catalog that cannot be used. */
  readonly report: (message: string) => void;
  /** Told of every number that is given out; default: nobody. */
  readonly journal?: Pick<NodeJournal, 'append'>;
  /** What a journal says of the servers before this one: their numbers go on. */
  readonly restored?: JournalState;
}

export class CatalogTree {
  #root: AttachedCatalog;
  readonly #store: ObjectStore;
  readonly #report: (message: string) => void;
  readonly #journal: Pick<NodeJournal, 'append'> | undefined;
  readonly #byMountpoint = new Map<string, AttachedCatalog>();
  /** Catalogs with node ids of each number. Most often just the one that has the number itself. */
  readonly #byNumber = new Map<number, AttachedCatalog[]>();
  #highestNumber: number;
  #inodeGauge: number;
  #frozen: Promise<void> | undefined;

  constructor({ store, root, report, journal, restored }: CatalogTreeOptions) {
    this.#store = store;
    this.#report = report;
    this.#journal = journal;
    this.#highestNumber = restored?.highestNumber ?? 0;
    this.#inodeGauge = restored?.inodeGauge ?? FIRST_INODE;
    if (restored) this.#restore(restored, root);
    this.#root = this.#byMountpoint.get('') ?? this.#attach(root, '', ROOT_NODE, ROOT_NODE);
  }

  get root(): AttachedCatalog {
    return this.#root;
  }

  /** Paths of the catalogs that are open, '' for the root catalog. */
  get mountpoints(): string[] {
    return [...this.#byMountpoint].filter(([, { opened }]) => opened).map(([path]) => path);
  }

  /** By mountpoint. */
  get attachments(): ReadonlyMap<string, AttachedCatalog> {
    return this.#byMountpoint;
  }

  /** What the next catalog's node ids and inode numbers begin with. */
  get supply(): NumberSupply {
    return { nextNumber: this.#highestNumber + 1, inodeGauge: this.#inodeGauge };
  }

  /** Number of attached catalogs. */
  get size(): number {
    return this.#byMountpoint.size;
  }

  /** Upper bound of the st_ino given out so far. */
  get inodeGauge(): number {
    return this.#inodeGauge;
  }

  /** Entries of all attached catalogs, by their own counters. */
  get attachedEntries(): number {
    let entries = 0;
    for (const { opened } of this.#byMountpoint.values()) entries += opened?.counters.selfEntries ?? 0;
    return entries;
  }

  /** The row that a node stands for; undefined when there is none in this revision. */
  locate(node: number): Place | undefined {
    if (node === ROOT_NODE) return { attached: this.#root, row: this.#root.catalog.rootRow };
    const candidates = this.#byNumber.get(catalogNumberOf(node));
    if (candidates === undefined) return undefined;
    for (const attached of candidates) {
      const row = attached.nodes.rowOfNode(node) || attached.groupRows.get(attached.nodes.groupOfNode(node));
      if (row) return { attached, row };
    }
    return undefined;
  }

  /** All names of a hard link group stand for the first of them that was seen. */
  noteGroup(attached: AttachedCatalog, group: number, row: number): void {
    if (attached.groupRows.has(group)) return;
    this.#journal?.append(encodeRecord({ kind: 'group', number: attached.number, group, row }));
    attached.groupRows.set(group, row);
  }

  /**
   * The catalog attached at `path`, attaching it first if need be.
   * Throws Pending while it is being fetched and Errno(EIO) if it is damaged: never ENOENT (client.md §11.9).
   */
  nested(path: string, nested: NestedCatalog, mountNode: number, parentNode: number): AttachedCatalog {
    return this.#byMountpoint.get(path) ?? this.#load(path, nested, mountNode, parentNode);
  }

  /** Until then no catalog is attached: whoever needs one waits. */
  freeze(until: Promise<void>): void {
    this.#frozen = until;
    const thaw = () => {
      if (this.#frozen === until) this.#frozen = undefined;
    };
    until.then(thaw, thaw);
  }

  /**
   * Goes over to a new revision at once: the journal has it when this returns. Gives the catalogs that were replaced, which
   * are the caller's from here on. Only while the tree is frozen, since `differences` were worked out with its numbers.
   */
  replace(root: RootRecord, { attachments, inodeGauge, vanished }: Differences): AttachedCatalog[] {
    const replaced = [...vanished.keys()];
    const last = attachments.reduce((highest, { place }) => Math.max(highest, place.number), this.#highestNumber);
    if (last > MAX_CATALOG_NUMBER) throw new Error('too many catalogs');
    for (const { place, keptGroups } of attachments) takeOverGroups(place, keptGroups);
    const catalogs = attachments.map(({ place, successor: { catalog, size } }) =>
      catalogRecord(place, catalog.hash, size, inodeGauge),
    );
    const detached = replaced.map(({ number }) => number);
    this.#journal?.append(encodeRecord({ kind: 'switch', root, catalogs, detached }));
    this.#highestNumber = last;
    this.#inodeGauge = inodeGauge;
    for (const attached of replaced) this.#remove(attached);
    for (const { place, successor } of attachments) {
      this.#enter(this.#attachment(place, successor.catalog.hash, successor.size, successor.catalog));
    }
    this.#root = this.#byMountpoint.get('') as AttachedCatalog;
    return replaced;
  }

  /** Catalogs that are not part of the tree any more, opened when they are asked for. */
  detached(records: readonly CatalogRecord[]): AttachedCatalog[] {
    return records.map((record) => this.#restored(record, new Map(pairs(record.groupRows ?? []))));
  }

  /** Closes all but the root catalog. They stay attached, and are opened again when something is wanted of them. */
  closeNested(): void {
    for (const attached of this.#byMountpoint.values()) if (attached !== this.#root) attached.close();
  }

  close(): void {
    for (const attached of this.#byMountpoint.values()) attached.close();
    this.#byMountpoint.clear();
    this.#byNumber.clear();
  }

  #restore({ catalogs, groupRows }: JournalState, root: Catalog): void {
    for (const record of catalogs.values()) {
      const rows = groupRows.get(record.number) ?? new Map();
      this.#enter(this.#restored(record, rows, record.mountpoint === '' ? root : undefined));
    }
  }

  #restored(record: CatalogRecord, groupRows: Map<number, number>, catalog?: Catalog): AttachedCatalog {
    const { number, mountpoint, mountNode, parentNode, size } = record;
    const place = { number, mountpoint, mountNode, parentNode, nodes: numberingOf(record.nodes), groupRows };
    return this.#attachment(place, hashOf(record), size, catalog);
  }

  #load(path: string, nested: NestedCatalog, mountNode: number, parentNode: number): AttachedCatalog {
    if (this.#frozen) throw new Pending(this.#frozen);
    return this.#attach(this.#open(path, nested.hash, nested.size), path, mountNode, parentNode, nested.size);
  }

  #open(path: string, hash: ContentHash, size: number): Catalog {
    if (hash.isNull) throw this.#refuse(path, 'its parent catalog names no hash for it');
    const request = catalogRequest({ hash, size }, path);
    const object = this.#store.open(hash, request.size, true);
    if (!object) throw new Pending(this.#store.fetch(request));
    try {
      return Catalog.open(object, hash);
    } catch (error) {
      throw this.#refuse(path, (error as Error).message);
    }
  }

  #attach(catalog: Catalog, mountpoint: string, mountNode: number, parentNode: number, size = 0): AttachedCatalog {
    const number = this.#highestNumber + 1;
    if (number > MAX_CATALOG_NUMBER) throw this.#refuse(mountpoint, 'too many catalogs');
    const nodes = new PlainNumbering(number, this.#inodeGauge);
    const inodeGauge = this.#inodeGauge + catalog.maxRowid;
    const place = { number, mountpoint, mountNode, parentNode, nodes, groupRows: new Map<number, number>() };
    this.#journal?.append(encodeRecord(catalogRecord(place, catalog.hash, size, inodeGauge)));
    this.#highestNumber = number;
    this.#inodeGauge = inodeGauge;
    return this.#enter(this.#attachment(place, catalog.hash, size, catalog));
  }

  #attachment(place: CatalogPlace, hash: ContentHash, size: number, catalog?: Catalog): AttachedCatalog {
    return new AttachedCatalog(place, hash, catalog, () => this.#open(place.mountpoint, hash, size));
  }

  #enter(attached: AttachedCatalog): AttachedCatalog {
    this.#byMountpoint.set(attached.mountpoint, attached);
    for (const number of attached.nodes.numbers) {
      const others = this.#byNumber.get(number);
      if (others) others.push(attached);
      else this.#byNumber.set(number, [attached]);
    }
    return attached;
  }

  #remove(attached: AttachedCatalog): void {
    this.#byMountpoint.delete(attached.mountpoint);
    for (const number of attached.nodes.numbers) {
      const others = this.#byNumber.get(number)?.filter((other) => other !== attached) ?? [];
      if (others.length > 0) this.#byNumber.set(number, others);
      else this.#byNumber.delete(number);
    }
  }

  #refuse(path: string, reason: string): Errno {
    this.#report(`cannot use the catalog of ${path || '/'}: ${reason}`);
    return new Errno(EIO);
  }
}

/** The name that stood for a group goes on doing so. */
function takeOverGroups(place: CatalogPlace, groups: ReadonlyMap<number, KeptGroup>): void {
  for (const [group, { attached, oldGroup }] of groups) {
    const old = attached.groupRows.get(oldGroup);
    const row = old && place.nodes.rowOfNode(attached.nodes.nodeOfRow(old));
    if (row) place.groupRows.set(group, row);
  }
}

function hashOf({ hash }: CatalogRecord): ContentHash {
  return ContentHash.parse(hash) as ContentHash;
}

export function catalogRecord(place: CatalogPlace, hash: ContentHash, size: number, inodeGauge: number): CatalogRecord {
  const { number, mountpoint, mountNode, parentNode } = place;
  const groupRows = place.groupRows.size > 0 ? { groupRows: [...place.groupRows].flat() } : {};
  const nodes = place.nodes.record;
  return {
    kind: 'catalog',
    number,
    hash: hash.toString(),
    size,
    mountpoint,
    mountNode,
    parentNode,
    nodes,
    inodeGauge,
    ...groupRows,
  };
}

/** What to ask the store for to get a nested catalog. */
export function catalogRequest(nested: NestedCatalog, path: string): ObjectRequest {
  const size = nested.size > 0 ? { size: nested.size } : {};
  return { hash: nested.hash, letter: 'C', compression: 'zlib', label: `file catalog at ${path || '/'}`, ...size };
}
