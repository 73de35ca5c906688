// Which objects a cache holds, in the order of their last use, and how much room they take. What the lines of a ledger add
// up to; no files, no clock.
import type { LedgerLine, ObjectKind } from './ledger-line.ts';

/** Files take whole blocks of the disk. Bytes. */
const BLOCK = 4096;

export class Accounts {
  /** Least recently used first. Values are sizes. */
  readonly #files = new Map<string, number>();
  readonly #catalogs = new Map<string, number>();
  readonly #pinned = new Set<string>();
  /** Under way, by their numbers; of those that were silent since `silentTransfers` was asked last. */
  readonly #transfers = new Map<string, number>();
  #silent = new Set<string>();
  #fileBytes = 0;
  #catalogBytes = 0;
  #pinnedBytes = 0;
  #transferBytes = 0;

  /** Bytes on disk of all objects, and of what is being transferred. */
  get used(): number {
    return this.#fileBytes + this.#catalogBytes + this.#transferBytes;
  }

  /** Of those that were pinned, and of catalogs, which go last. */
  get pinned(): number {
    return this.#pinnedBytes;
  }

  get catalogs(): number {
    return this.#catalogBytes;
  }

  get size(): number {
    return this.#files.size + this.#catalogs.size;
  }

  has(hash: string): boolean {
    return this.#files.has(hash) || this.#catalogs.has(hash);
  }

  /** Bytes of the file; undefined where there is none. */
  sizeOf(hash: string): number | undefined {
    return this.#files.get(hash) ?? this.#catalogs.get(hash);
  }

  isPinned(hash: string): boolean {
    return this.#pinned.has(hash);
  }

  /** Each as it is removed; least recently used first, files before catalogs. */
  *keys(): Generator<string> {
    yield* this.#files.keys();
    yield* this.#catalogs.keys();
  }

  pinnedKeys(): Iterable<string> {
    return this.#pinned;
  }

  apply(line: LedgerLine): void {
    switch (line.type) {
      case 'stored':
        this.#put(line.hash, line.size, line.kind);
        break;
      case 'transfer':
        this.remove(line.hash);
        this.#transfers.set(line.hash, line.size);
        this.#transferBytes += onDisk(line.size);
        break;
      case 'used':
        this.#touch(line.hash);
        break;
      case 'removed':
        this.remove(line.hash);
        break;
      case 'pinned':
        if (this.#pinned.has(line.hash)) break;
        this.#pinned.add(line.hash);
        this.#pinnedBytes += onDisk(this.sizeOf(line.hash));
        break;
      case 'unpinned':
        this.#unpin(line.hash);
        break;
    }
  }

  remove(hash: string): void {
    this.#unpin(hash);
    const file = this.#files.get(hash);
    if (file !== undefined) {
      this.#files.delete(hash);
      this.#fileBytes -= onDisk(file);
    }
    const catalog = this.#catalogs.get(hash);
    if (catalog !== undefined) {
      this.#catalogs.delete(hash);
      this.#catalogBytes -= onDisk(catalog);
    }
    const transfer = this.#transfers.get(hash);
    if (transfer !== undefined) {
      this.#transfers.delete(hash);
      this.#silent.delete(hash);
      this.#transferBytes -= onDisk(transfer);
    }
  }

  /** Transfers that nobody has noted since this was asked last: their processes are gone, or stand still. */
  silentTransfers(): readonly string[] {
    const silent = [...this.#silent];
    this.#silent = new Set(this.#transfers.keys());
    return silent;
  }

  /** Sizes of transfers under way. */
  transfers(): Iterable<readonly [string, number]> {
    return this.#transfers;
  }

  /** Objects that were there all along, unknown: less recently used than all others, in this order among themselves. */
  addOlder(objects: readonly { readonly hash: string; readonly size: number }[]): void {
    const later = [...this.#files];
    this.#files.clear();
    for (const { hash, size } of objects) {
      if (this.#catalogs.has(hash)) continue;
      this.#files.set(hash, size);
      this.#fileBytes += onDisk(size);
    }
    for (const [hash, size] of later) {
      const twice = this.#files.get(hash);
      if (twice !== undefined) this.#fileBytes -= onDisk(twice);
      this.#files.delete(hash);
      this.#files.set(hash, size);
    }
  }

  /**
   * What to remove next: the least recently used file, but a catalog where these take more than `catalogShare` bytes or where
   * no files are left. Pinned ones never. undefined: nothing can be removed.
   */
  victim(catalogShare: number): string | undefined {
    const [first, second] =
      this.#catalogBytes > catalogShare ? [this.#catalogs, this.#files] : [this.#files, this.#catalogs];
    return this.#oldest(first) ?? this.#oldest(second);
  }

  #oldest(objects: ReadonlyMap<string, number>): string | undefined {
    for (const hash of objects.keys()) if (!this.#pinned.has(hash)) return hash;
    return undefined;
  }

  #put(hash: string, size: number, kind: ObjectKind): void {
    const isPinned = this.#pinned.has(hash);
    this.remove(hash);
    if (kind === 'catalog') {
      this.#catalogs.set(hash, size);
      this.#catalogBytes += onDisk(size);
    } else {
      this.#files.set(hash, size);
      this.#fileBytes += onDisk(size);
    }
    if (!isPinned) return;
    this.#pinned.add(hash);
    this.#pinnedBytes += onDisk(size);
  }

  #touch(hash: string): void {
    for (const objects of [this.#files, this.#catalogs]) {
      const size = objects.get(hash);
      if (size === undefined) continue;
      objects.delete(hash);
      objects.set(hash, size);
    }
  }

  #unpin(hash: string): void {
    if (this.#pinned.delete(hash)) this.#pinnedBytes -= onDisk(this.sizeOf(hash));
  }
}

/** Bytes that a file of this size takes. */
export function onDisk(size = 0): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
