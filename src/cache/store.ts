// The objects of a repository: recent ones in memory, the cache directory, the network, in this order.
import type { ContentHash } from '../objects/hash.ts';
import { readableLabel } from '../objects/label.ts';
import { type LocalObject, type ObjectRequest, type ObjectStore, objectPath } from '../objects/object.ts';
import type { TransferSource } from '../objects/transfer.ts';
import { checksum } from './checksum.ts';
import { copyObject } from './copy-object.ts';
import type { CacheDirectory } from './directory.ts';
import { CacheError } from './errors.ts';
import { MemoryObject } from './local-object.ts';
import { MAX_HOMELESS_BYTES, ObjectSink } from './object-sink.ts';
import type { KeeperState } from './quota/keeper-state.ts';
import type { Quota } from './quota/quota.ts';
import { RecentObjects } from './recent-objects.ts';

export interface CacheStoreOptions {
  /** Where objects are stored; undefined: in memory only, in `memory` bytes. */
  readonly directory?: CacheDirectory;
  /** Looked into for what `directory` lacks, which is copied up; gets what is stored unless it is read-only. */
  readonly lower?: CacheDirectory;
  /** Keeps the accounts of `directory`. */
  readonly quota?: Quota;
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
/** Prefetches that wait; older ones are forgotten, as their reader has probably gone on. */
const MAX_WAITING = 256;
/** From this size on objects may go straight to the disk. Bytes. */
const LARGE_BYTES = 256 * 1024;
/** A full disk is tried again after this time, milliseconds: in it the keeper of the quota makes room. */
const ROOM_AFTER_MS = 300;
/** After a failure to store, objects stay in memory for this long before the disk is tried again. */
const STORE_AGAIN_MS = 10_000;
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
  #directory: CacheDirectory | undefined;
  #options: CacheStoreOptions;
  /** Where objects may be found, in this order. */
  #sources: readonly CacheDirectory[];
  #recent: RecentObjects;
  /** What `open` did not find a moment ago: not looked for again. */
  #missed: ContentHash | undefined;
  #inFlight = new Map<string, Promise<void>>();
  #waiting = new Map<string, ObjectRequest>();
  #prefetching = 0;
  #storeAgainAt = 0;
  /** The last one. */
  #storeFailure: Error | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;
  #hits = 0;
  #misses = 0;
  #fetched = 0;
  #storedCount = 0;
  #notStored = 0;
  #withoutRoom = 0;

  constructor(options: CacheStoreOptions) {
    this.#options = options;
    const { directory, memory = DEFAULT_MEMORY } = options;
    this.#directory = directory?.readOnly ? undefined : directory;
    this.#sources = [directory, options.lower].filter((source) => source !== undefined);
    const store = (request: ObjectRequest, bytes: Uint8Array) => this.#store(request, bytes);
    this.#recent = new RecentObjects(memory, store, directory === undefined);
  }

  open(hash: ContentHash, size?: number): LocalObject | undefined {
    const bytes = this.#recent.get(hash);
    if (bytes) {
      this.#hits++;
      return new MemoryObject(bytes);
    }
    for (const source of this.#sources) {
      const file = source.open(hash, size);
      if (!file) continue;
      this.#hits++;
      if (source === this.#directory) this.#options.quota?.touch(hash);
      else this.#copyUp(hash, file.size);
      return file;
    }
    this.#misses++;
    this.#missed = hash;
    return undefined;
  }

  fetch(request: ObjectRequest): Promise<void> {
    const key = request.hash.toString();
    this.#waiting.delete(key);
    const running = this.#inFlight.get(key);
    if (running) return running;
    return this.#start(key, request, true);
  }

  /** The object is local, and of its size where that is known. */
  has(request: ObjectRequest): boolean {
    return this.#isLocal(request);
  }

  /** Like fetch, but the object is on the disk then. Rejects with CacheError NOT_STORED where that fails. */
  async keep(request: ObjectRequest): Promise<void> {
    await this.fetch(request);
    if (this.#recent.settle(request.hash)) return;
    throw this.#storeFailure ?? new CacheError('NOT_STORED', 'objects cannot be stored in this cache');
  }

  prefetch(request: ObjectRequest): void {
    const key = request.hash.toString();
    if (this.#closed || this.#inFlight.has(key) || this.#waiting.has(key)) return;
    this.#waiting.set(key, request);
    if (this.#waiting.size > MAX_WAITING) {
      for (const oldest of this.#waiting.keys()) {
        this.#waiting.delete(oldest);
        break;
      }
    }
    this.#startWaiting();
  }

  status(): CacheStatus {
    const { directory, lower, streaming = false } = this.#options;
    return {
      directory: directory?.path,
      lowerDirectory: lower?.path,
      streaming,
      hits: this.#hits,
      misses: this.#misses,
      fetched: this.#fetched,
      stored: this.#storedCount,
      notStored: this.#notStored,
      withoutRoom: this.#withoutRoom,
      quota: this.#options.quota?.state(),
      isKeeper: this.#options.quota?.isKeeper ?? false,
      memory: this.#recent.bytes,
      transfers: this.#inFlight.size,
      waiting: this.#waiting.size,
    };
  }

  /** For those who look after the cache while it is used (maintenance.ts). */
  get quota(): Quota | undefined {
    return this.#options.quota;
  }

  /** Throws the object away, wherever it may be removed: the next reader fetches it. */
  evict(hash: ContentHash): void {
    this.#recent.remove(hash);
    for (const source of this.#sources) if (!source.readOnly) source.remove(hash);
    this.#options.quota?.removed(hash);
  }

  /** Writes what is only in memory to disk. */
  flush(): void {
    this.#recent.flush();
  }

  /** To be called when the sources are closed: stores what is only in memory. Waits for transfers to end. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#sweep);
    this.#waiting.clear();
    await Promise.allSettled(this.#inFlight.values());
    this.flush();
    this.#options.quota?.close();
  }

  #start(key: string, request: ObjectRequest, urgent: boolean): Promise<void> {
    const transfer = this.#transfer(request, urgent).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, transfer);
    return transfer;
  }

  async #transfer(request: ObjectRequest, urgent: boolean): Promise<void> {
    if (this.#closed) throw new CacheError('CLOSED', `cannot fetch ${readableLabel(request.label)}: shutting down`);
    if (request.hash.isNull)
      throw new CacheError('UNUSABLE', `cannot fetch ${readableLabel(request.label)}: it has no hash`);
    if (!request.hash.equals(this.#missed) && this.#isLocal(request)) return;
    this.#missed = undefined;
    const { quota } = this.#options;
    if (performance.now() < this.#storeAgainAt || !this.#directory || !this.#isToBeStored(request)) {
      return this.#download(request, urgent, undefined);
    }
    const { size = 0 } = request;
    // Room for what goes to the disk as it comes is reserved; that of small objects is noted when they are stored.
    const isLarge = size >= LARGE_BYTES && size <= MAX_HOMELESS_BYTES;
    const reserved = isLarge ? quota?.reserve(size) : undefined;
    if (quota && isLarge && !reserved) {
      this.#withoutRoom++;
      return this.#download(request, urgent, undefined);
    }
    try {
      await this.#downloadAndStore(request, urgent, this.#directory);
    } finally {
      if (reserved) quota?.release(reserved);
    }
  }

  /** To the disk; where that is full, again when there is room, and else to memory. */
  async #downloadAndStore(request: ObjectRequest, urgent: boolean, directory: CacheDirectory): Promise<void> {
    try {
      return await this.#download(request, urgent, directory);
    } catch (error) {
      this.#takeBack(request.hash);
      if (!isStorageFailure(error)) throw error;
      if (await this.#madeRoom(error)) {
        try {
          return await this.#download(request, urgent, directory);
        } catch (again) {
          this.#takeBack(request.hash);
          if (!isStorageFailure(again)) throw again;
        }
      }
      this.#storingFailed(error);
    }
    await this.#download(request, urgent, undefined);
  }

  async #download(request: ObjectRequest, urgent: boolean, directory: CacheDirectory | undefined): Promise<void> {
    const { source, externalSource, quota } = this.#options;
    const complete = (size: number, sum: number): void => quota?.noteStored(request, size, sum);
    const sink = new ObjectSink(request, directory, complete);
    const { external, label } = request;
    if (!external) {
      await source.transfer({ path: objectPath(request), label, urgent, shard: request.hash.prefix }, sink);
    } else if (!externalSource) {
      throw new CacheError(
        'UNUSABLE',
        `cannot fetch ${readableLabel(label)}: it is external data (set CVMFS_EXTERNAL_URL)`,
      );
    } else {
      const { path, offset, length } = external;
      const range = offset === undefined || length === undefined ? undefined : { offset, length };
      await externalSource.transfer({ path, label, range, urgent, shard: request.hash.prefix }, sink);
    }
    this.#missed = undefined;
    this.#fetched++;
    if (sink.result) this.#recent.add(request, sink.result, directory === undefined);
    else {
      this.#stored();
      this.#copyDown(request);
    }
  }

  /** It was noted, and did not come. */
  #takeBack(hash: ContentHash): void {
    if (this.#directory && !this.#directory.has(hash)) this.#options.quota?.removed(hash);
  }

  /** With a streaming cache, the data of files only passes by (client.md §6.6). */
  #isToBeStored({ letter }: ObjectRequest): boolean {
    return !this.#options.streaming || (letter !== '' && letter !== 'P');
  }

  #isLocal(request: ObjectRequest): boolean {
    const { hash, size } = request;
    return this.#recent.has(hash) || this.#sources.some((source) => source.has(hash, size));
  }

  #store(request: ObjectRequest, bytes: Uint8Array): boolean {
    const { hash } = request;
    const { quota } = this.#options;
    if (!this.#directory || performance.now() < this.#storeAgainAt) return false;
    // Another process was faster.
    if (this.#directory.has(hash, bytes.length)) return true;
    if (quota && !quota.adding(request, bytes.length, checksum(bytes))) {
      this.#withoutRoom++;
      return false;
    }
    try {
      this.#directory.store(hash, bytes);
    } catch (error) {
      this.#takeBack(hash);
      if (isDiskFull(error)) quota?.diskFull();
      this.#storingFailed(error as Error);
      return false;
    }
    this.#stored();
    this.#copyDown(request);
    return true;
  }

  /** Whether there is room now on a disk that was full: the keeper of the quota gets a moment to make some. */
  async #madeRoom(error: unknown): Promise<boolean> {
    const { quota } = this.#options;
    if (!quota || !isDiskFull(error)) return false;
    quota.diskFull();
    await new Promise((resolve) => setTimeout(resolve, ROOM_AFTER_MS));
    return true;
  }

  /** What only the lower cache has is brought to the upper one, when there is time. */
  #copyUp(hash: ContentHash, size: number): void {
    this.#copy(hash, size, this.#options.lower, this.#directory, this.#options.quota);
  }

  #copyDown({ hash, size }: ObjectRequest): void {
    const { lower } = this.#options;
    if (lower && !lower.readOnly) this.#copy(hash, size, this.#directory, lower, undefined);
  }

  #copy(
    hash: ContentHash,
    size: number | undefined,
    from: CacheDirectory | undefined,
    to: CacheDirectory | undefined,
    quota: Quota | undefined,
  ): void {
    if (!from || !to || this.#closed) return;
    setImmediate(async () => {
      try {
        if (to.has(hash, size) || (quota && !quota.hasRoomFor(size ?? 0))) return;
        const request: ObjectRequest = { hash, letter: '', compression: 'none', label: 'copied from the lower cache' };
        await copyObject(from, to, hash, (bytes, sum) => quota?.noteStored(request, bytes, sum));
      } catch {
        quota?.removed(hash);
      }
    });
  }

  #stored(): void {
    this.#storedCount++;
    if (this.#sweep || this.#closed) return;
    this.#sweep = setTimeout(() => this.#directory?.sweep(), SWEEP_AFTER_MS);
    this.#sweep.unref();
  }

  #storingFailed(error: unknown): void {
    this.#notStored++;
    this.#storeFailure = storageFailure(error) ?? (error as Error);
    if (this.#storeAgainAt === 0) {
      this.#options.warn?.(`${this.#storeFailure.message}; going on without storing`);
    }
    // The keeper of a quota makes room meanwhile.
    const soon = this.#options.quota && isDiskFull(error);
    this.#storeAgainAt = performance.now() + (soon ? ROOM_AFTER_MS : STORE_AGAIN_MS);
  }

  #startWaiting(): void {
    const limit = this.#options.prefetches ?? 6;
    for (const [key, request] of this.#waiting) {
      if (this.#prefetching >= limit) return;
      this.#waiting.delete(key);
      this.#prefetching++;
      this.#start(key, request, false)
        .catch(() => {})
        .finally(() => {
          this.#prefetching--;
          this.#startWaiting();
        });
    }
  }
}

function storageFailure(error: unknown): CacheError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof CacheError && cause.code === 'NOT_STORED') return cause;
  }
  return undefined;
}

function isDiskFull(error: unknown): boolean {
  const { code } = (storageFailure(error)?.cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function isStorageFailure(error: unknown): boolean {
  return storageFailure(error) !== undefined;
}
