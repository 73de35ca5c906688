// The objects of a repository: recent ones in memory, the cache directory, the network, in this order.
import type { ContentHash } from '../objects/hash.ts';
import { readableLabel } from '../objects/label.ts';
import { type LocalObject, type ObjectRequest, type ObjectStore, objectPath } from '../objects/object.ts';
import type { TransferSource } from '../objects/transfer.ts';
import type { CacheDirectory } from './directory.ts';
import { CacheError, storageFailure } from './errors.ts';
import type { FetchClaims } from './fetch-claims.ts';
import { MemoryObject } from './local-object.ts';
import { ObjectSink } from './object-sink.ts';
import { PrefetchQueue } from './prefetch-queue.ts';
import type { KeeperState } from './quota/keeper-state.ts';
import type { Quota } from './quota/quota.ts';
import { RecentObjects } from './recent-objects.ts';
import { ObjectStorage } from './storage.ts';
import { TierCopies } from './tier-copies.ts';

export interface CacheStoreOptions {
  /** Where objects are stored; undefined: in memory only, in `memory` bytes. */
  readonly directory?: CacheDirectory;
  /** Looked into for what `directory` lacks, which is copied up; gets what is stored unless it is read-only. */
  readonly lower?: CacheDirectory;
  /** Keeps the accounts of `directory`. */
  readonly quota?: Quota;
  /** Among the processes that use `directory`; undefined: each fetches for itself. */
  readonly claims?: FetchClaims;
  /** The data of files is not stored, only catalogs and the like (CVMFS_STREAMING_CACHE). */
  readonly streaming?: boolean;
  readonly source: TransferSource;
  /** For objects with `external` (client.md §5.8). */
  readonly externalSource?: TransferSource;
  /** Told once when storing starts to fail. One line. */
  readonly warn?: (line: string) => void;
  /** Bytes of recent objects in memory. Default 16 MiB. */
  readonly memory?: number;
  /** Prefetches at once. Default 6. */
  readonly prefetches?: number;
}

const DEFAULT_MEMORY = 16 * 1024 * 1024;
const DEFAULT_PREFETCHES = 6;
/** Leftovers of dead processes are removed when this process has been storing for a while. */
const SWEEP_AFTER_MS = 5000;

/** What a store has done since it was made, and how things stand. Bytes are of uncompressed objects. */
export interface CacheStatus {
  /** Of the objects, on disk; undefined: in memory only. */
  readonly directory?: string;
  readonly lowerDirectory?: string;
  readonly streaming: boolean;
  /** Objects that were found when they were asked for. */
  readonly hits: number;
  /** Objects that had to be fetched. */
  readonly misses: number;
  /** Objects that came from the network. */
  readonly fetched: number;
  readonly stored: number;
  /** Attempts to store that failed. */
  readonly notStored: number;
  /** Objects that were not stored because the cache was overfull. */
  readonly withoutRoom: number;
  /** What the keeper of the quota counted last; undefined: there is no quota, or nobody has counted. */
  readonly quota?: KeeperState;
  /** This process is the keeper. */
  readonly isKeeper: boolean;
  /** Bytes of objects in memory. */
  readonly memory: number;
  /** Transfers under way, and prefetches that wait for one. */
  readonly transfers: number;
  readonly waiting: number;
}

export class CacheStore implements ObjectStore {
  readonly #options: CacheStoreOptions;
  /** Where objects are stored; undefined: in memory only. */
  readonly #storage: ObjectStorage | undefined;
  /** Where objects may be found, in this order. */
  readonly #sources: readonly CacheDirectory[];
  readonly #recent: RecentObjects;
  readonly #prefetches: PrefetchQueue;
  readonly #copies: TierCopies;
  readonly #inFlight = new Map<string, Promise<void>>();
  /** What `open` did not find a moment ago: not looked for again. */
  #missed: ContentHash | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;
  #hits = 0;
  #misses = 0;
  #fetched = 0;
  #storedCount = 0;

  constructor(options: CacheStoreOptions) {
    const { directory, lower, quota, memory = DEFAULT_MEMORY, prefetches = DEFAULT_PREFETCHES } = options;
    this.#options = options;
    const writable = directory?.readOnly ? undefined : directory;
    if (writable) this.#storage = new ObjectStorage({ ...options, directory: writable });
    this.#sources = [directory, lower].filter((source) => source !== undefined);
    const store = (request: ObjectRequest, bytes: Uint8Array) => this.#store(request, bytes);
    this.#recent = new RecentObjects(memory, store, directory === undefined);
    this.#prefetches = new PrefetchQueue(prefetches, (request) => this.#start(request.hash.toString(), request, false));
    this.#copies = new TierCopies({ upper: writable, lower, quota });
  }

  open(hash: ContentHash, size?: number, forLong = false): LocalObject | undefined {
    const bytes = this.#recent.get(hash);
    const isFile = !bytes || (forLong && this.#recent.settle(hash));
    const object = (isFile ? this.#openFile(hash, size) : undefined) ?? (bytes && new MemoryObject(bytes));
    if (object) {
      this.#hits++;
    } else {
      this.#misses++;
      this.#missed = hash;
    }
    return object;
  }

  fetch(request: ObjectRequest): Promise<void> {
    const key = request.hash.toString();
    this.#prefetches.remove(key);
    return this.#inFlight.get(key) ?? this.#start(key, request, true);
  }

  /** The object is local, and of its size where that is known. */
  has({ hash, size }: ObjectRequest): boolean {
    return this.#recent.has(hash) || this.#sources.some((source) => source.has(hash, size));
  }

  /** Like fetch, but the object is on the disk then. Rejects with CacheError NOT_STORED where that fails. */
  async keep(request: ObjectRequest): Promise<void> {
    await this.fetch(request);
    if (this.#recent.settle(request.hash)) return;
    throw this.#storage?.failure ?? new CacheError('NOT_STORED', 'objects cannot be stored in this cache');
  }

  prefetch(request: ObjectRequest): void {
    const key = request.hash.toString();
    if (!this.#closed && !this.#inFlight.has(key)) this.#prefetches.add(key, request);
  }

  status(): CacheStatus {
    const { directory, lower, quota, streaming = false } = this.#options;
    return {
      directory: directory?.path,
      lowerDirectory: lower?.path,
      streaming,
      hits: this.#hits,
      misses: this.#misses,
      fetched: this.#fetched,
      stored: this.#storedCount,
      notStored: this.#storage?.failures ?? 0,
      withoutRoom: this.#storage?.withoutRoom ?? 0,
      quota: quota?.state(),
      isKeeper: quota?.isKeeper ?? false,
      memory: this.#recent.bytes,
      transfers: this.#inFlight.size,
      waiting: this.#prefetches.size,
    };
  }

  /** For those who look after the cache while it is used (maintenance.ts). */
  get quota(): Quota | undefined {
    return this.#options.quota;
  }

  /** Throws the object away, wherever it may be removed: the next reader fetches it. */
  evict(hash: ContentHash): void {
    this.#recent.remove(hash);
    this.#options.claims?.release(hash);
    // Noted first: whoever stores it anew says that after it.
    this.#options.quota?.removed(hash);
    for (const source of this.#sources) if (!source.readOnly) source.remove(hash);
  }

  /** Writes what is only in memory to disk. */
  flush(): void {
    this.#recent.flush();
  }

  /** To be called when the sources are closed: stores what is only in memory. Waits for transfers to end. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#sweep);
    this.#prefetches.clear();
    this.#copies.close();
    await Promise.allSettled(this.#inFlight.values());
    this.flush();
    this.#options.claims?.releaseAll();
    this.#options.quota?.close();
  }

  #openFile(hash: ContentHash, size: number | undefined): LocalObject | undefined {
    for (const source of this.#sources) {
      const file = source.open(hash, size);
      if (!file) continue;
      if (source === this.#storage?.directory) this.#options.quota?.touch(hash);
      else this.#copies.up(hash, file.size);
      return file;
    }
    return undefined;
  }

  #start(key: string, request: ObjectRequest, urgent: boolean): Promise<void> {
    const transfer = this.#transfer(request, urgent).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, transfer);
    return transfer;
  }

  async #transfer(request: ObjectRequest, urgent: boolean): Promise<void> {
    const { hash, label, size } = request;
    this.#refuseWhenClosed(request);
    if (hash.isNull) throw new CacheError('UNUSABLE', `cannot fetch ${readableLabel(label)}: it has no hash`);
    if (!hash.equals(this.#missed) && this.has(request)) return;
    this.#missed = undefined;
    const storage = this.#storage;
    if (!storage?.accepts(request)) return this.#download(request, urgent, undefined);
    const { claims } = this.#options;
    let received = () => 0;
    if (claims && !claims.take(hash, () => received())) {
      await claims.ended(hash, () => this.#closed);
      if (this.has(request)) return;
      this.#refuseWhenClosed(request);
    }
    let stays = false;
    try {
      const release = storage.reserve(size);
      if (!release) return await this.#download(request, urgent, undefined);
      try {
        await this.#downloadAndStore(request, urgent, storage, (sink) => {
          received = () => sink.received;
        });
        stays = true;
      } finally {
        release();
      }
    } finally {
      // What is in memory only is not yet where others find it.
      if (!stays || !this.#recent.isUnstored(hash)) claims?.release(hash);
    }
  }

  #refuseWhenClosed({ label }: ObjectRequest): void {
    if (this.#closed) throw new CacheError('CLOSED', `cannot fetch ${readableLabel(label)}: shutting down`);
  }

  /** To the disk; where that is full, again when there is room, and else to memory. */
  async #downloadAndStore(
    request: ObjectRequest,
    urgent: boolean,
    storage: ObjectStorage,
    begun: (sink: ObjectSink) => void,
  ): Promise<void> {
    try {
      return await this.#download(request, urgent, storage.directory, begun);
    } catch (error) {
      storage.takeBack(request.hash);
      if (!storageFailure(error)) throw error;
      if (await storage.madeRoom(error)) {
        try {
          return await this.#download(request, urgent, storage.directory, begun);
        } catch (again) {
          storage.takeBack(request.hash);
          if (!storageFailure(again)) throw again;
        }
      }
      storage.failed(error);
    }
    await this.#download(request, urgent, undefined);
  }

  async #download(
    request: ObjectRequest,
    urgent: boolean,
    directory: CacheDirectory | undefined,
    begun?: (sink: ObjectSink) => void,
  ): Promise<void> {
    const { source, externalSource, quota } = this.#options;
    const complete = (size: number, sum: number): void => quota?.noteStored(request, size, sum);
    const sink = new ObjectSink(request, directory, complete);
    begun?.(sink);
    const { external, label, hash } = request;
    if (!external) {
      await source.transfer({ path: objectPath(request), label, urgent, shard: hash.prefix }, sink);
    } else if (!externalSource) {
      throw new CacheError(
        'UNUSABLE',
        `cannot fetch ${readableLabel(label)}: it is external data (set CVMFS_EXTERNAL_URL)`,
      );
    } else {
      const { path, offset, length } = external;
      const range = offset === undefined || length === undefined ? undefined : { offset, length };
      await externalSource.transfer({ path, label, range, urgent, shard: hash.prefix }, sink);
    }
    this.#missed = undefined;
    this.#fetched++;
    if (sink.result) this.#recent.add(request, sink.result, directory === undefined);
    else this.#stored(request);
  }

  /** What is in memory only, to the disk. */
  #store(request: ObjectRequest, bytes: Uint8Array): boolean {
    const isStored = this.#storage?.write(request, bytes) ?? false;
    this.#options.claims?.release(request.hash);
    if (isStored) this.#stored(request);
    return isStored;
  }

  #stored(request: ObjectRequest): void {
    this.#storedCount++;
    this.#copies.down(request);
    if (this.#sweep || this.#closed) return;
    this.#sweep = setTimeout(() => {
      this.#storage?.directory.sweep();
      this.#options.claims?.sweep();
    }, SWEEP_AFTER_MS);
    this.#sweep.unref();
  }
}
