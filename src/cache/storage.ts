// Putting objects into a cache directory: whether that is to be tried, what the quota is told, and what happens when it
// fails.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContentHash } from '../objects/hash.ts';
import type { ObjectRequest } from '../objects/object.ts';
import { checksum } from './checksum.ts';
import type { CacheDirectory } from './directory.ts';
import { isDiskFull, storageFailure } from './errors.ts';
import { MAX_HOMELESS_BYTES } from './object-sink.ts';
import type { Quota } from './quota/quota.ts';

/** From this size on objects may go straight to the disk. Bytes. */
const LARGE_BYTES = 256 * 1024;
/** A full disk is tried again after this time, milliseconds: in it the keeper of the quota makes room. */
const ROOM_AFTER_MS = 300;
/** After a failure to store, objects stay in memory for this long before the disk is tried again. */
const STORE_AGAIN_MS = 10_000;

export interface StorageOptions {
  readonly directory: CacheDirectory;
  readonly quota?: Quota;
  /** The data of files is not stored, only catalogs and the like (CVMFS_STREAMING_CACHE). */
  readonly streaming?: boolean;
  /** Told once when storing starts to fail. One line. */
  readonly warn?: (line: string) => void;
}

export class ObjectStorage {
  readonly directory: CacheDirectory;
  readonly #options: StorageOptions;
  #againAt = 0;
  #failure: Error | undefined;
  #failures = 0;
  #withoutRoom = 0;

  constructor(options: StorageOptions) {
    this.directory = options.directory;
    this.#options = options;
  }

  /** The last one. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Attempts to store that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Objects that were not stored because the cache was overfull. */
  get withoutRoom(): number {
    return this.#withoutRoom;
  }

  /** Shall it be stored, as things stand? With a streaming cache, the data of files only passes by (client.md §6.6). */
  accepts({ letter }: ObjectRequest): boolean {
    return performance.now() >= this.#againAt && (!this.#options.streaming || (letter !== '' && letter !== 'P'));
  }

  /**
   * Room for what goes to the disk as it comes; that of small objects is noted when they are stored. Gives what frees it;
   * undefined: there is none.
   */
  reserve(size = 0): (() => void) | undefined {
    const { quota } = this.#options;
    if (!quota || size < LARGE_BYTES || size > MAX_HOMELESS_BYTES) return () => {};
    const release = quota.reserve(size);
    if (!release) this.#withoutRoom++;
    return release;
  }

  /** Stores a small object; false where that fails, or is not to be tried now. */
  write(request: ObjectRequest, bytes: Uint8Array): boolean {
    const { hash } = request;
    const { quota } = this.#options;
    if (performance.now() < this.#againAt) return false;
    // Another process was faster.
    if (this.directory.has(hash, bytes.length)) return true;
    if (quota && !quota.adding(request, bytes.length, checksum(bytes))) {
      this.#withoutRoom++;
      return false;
    }
    try {
      this.directory.store(hash, bytes);
      return true;
    } catch (error) {
      this.takeBack(hash);
      if (isDiskFull(error)) quota?.diskFull();
      this.failed(error);
      return false;
    }
  }

  /** It was noted, and did not come. */
  takeBack(hash: ContentHash): void {
    if (!this.directory.has(hash)) this.#options.quota?.removed(hash);
  }

  /** Whether there is room now on a disk that was full: the keeper of the quota gets a moment to make some. */
  async madeRoom(error: unknown): Promise<boolean> {
    const { quota } = this.#options;
    if (!quota || !isDiskFull(error)) return false;
    quota.diskFull();
    await sleep(ROOM_AFTER_MS);
    return true;
  }

  failed(error: unknown): void {
    this.#failures++;
    this.#failure = storageFailure(error) ?? (error as Error);
    if (this.#againAt === 0) this.#options.warn?.(`${this.#failure.message}; going on without storing`);
    // The keeper of a quota makes room meanwhile.
    const soon = this.#options.quota && isDiskFull(error);
    this.#againAt = performance.now() + (soon ? ROOM_AFTER_MS : STORE_AGAIN_MS);
  }
}
