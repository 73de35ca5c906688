// Objects that were just downloaded, in memory: the reader is answered first and the disk written afterwards.
// Also where objects live that could not be stored.
import type { ContentHash } from '../objects/hash.ts';
import type { ObjectRequest } from '../objects/object.ts';

interface Entry {
  readonly request: ObjectRequest;
  readonly bytes: Uint8Array;
  /** 'new': not on disk yet. 'stored': on disk as well. 'homeless': could not be stored. */
  state: 'new' | 'stored' | 'homeless';
  /** Somebody has opened it since it was added. */
  used: boolean;
}

/** A homeless object waits this many times the limit for its first reader, who may be slow but not that slow. */
const HOMELESS_FACTOR = 32;

export class RecentObjects {
  #limit: number;
  #store: (request: ObjectRequest, bytes: Uint8Array) => boolean;
  /** The least recently used goes first, not the oldest. */
  #leastRecentFirst: boolean;
  #entries = new Map<string, Entry>();
  #new: Entry[] = [];
  #bytes = 0;
  #scheduled: NodeJS.Immediate | undefined;

  /** `limit`: bytes. `store` writes to disk and tells whether that worked. */
  constructor(limit: number, store: (request: ObjectRequest, bytes: Uint8Array) => boolean, leastRecentFirst = false) {
    this.#limit = limit;
    this.#store = store;
    this.#leastRecentFirst = leastRecentFirst;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(hash: ContentHash): Uint8Array | undefined {
    const key = hash.toString();
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    entry.used = true;
    if (this.#leastRecentFirst) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry.bytes;
  }

  has(hash: ContentHash): boolean {
    return this.#entries.has(hash.toString());
  }

  /** It is here, and will be on disk soon. */
  isUnstored(hash: ContentHash): boolean {
    return this.#entries.get(hash.toString())?.state === 'new';
  }

  /** Keeps the object and stores it soon; `homeless`: it is known that it cannot be stored. */
  add(request: ObjectRequest, bytes: Uint8Array, homeless = false): void {
    const key = request.hash.toString();
    const before = this.#entries.get(key);
    if (before) this.#drop(key, before);
    const entry: Entry = { request, bytes, state: homeless ? 'homeless' : 'new', used: false };
    this.#entries.set(key, entry);
    this.#bytes += bytes.length;
    if (!homeless) {
      this.#new.push(entry);
      this.#scheduled ??= setImmediate(this.#storeSome);
    }
    if (this.#bytes > this.#limit) this.#makeRoom();
  }

  /** Forgets it, stored or not. */
  remove(hash: ContentHash): void {
    const key = hash.toString();
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.state = 'homeless';
    this.#drop(key, entry);
  }

  /** Stores it now, unless it is on disk. False: it is here only, and could not be stored. */
  settle(hash: ContentHash): boolean {
    const entry = this.#entries.get(hash.toString());
    if (entry) this.#storeEntry(entry);
    return entry?.state !== 'homeless';
  }

  /** Stores everything that is not on disk yet. */
  flush(): void {
    for (const entry of this.#new.splice(0)) this.#storeEntry(entry);
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
  }

  /** One object a turn, so that requests that came meanwhile do not wait for the disk. */
  readonly #storeSome = (): void => {
    const entry = this.#new.shift();
    if (entry) this.#storeEntry(entry);
    this.#scheduled = this.#new.length > 0 ? setImmediate(this.#storeSome) : undefined;
  };

  #storeEntry(entry: Entry): void {
    if (entry.state !== 'new') return;
    entry.state = this.#store(entry.request, entry.bytes) ? 'stored' : 'homeless';
  }

  /** Oldest first. What is only here and not used yet stays until its reader has come. */
  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#limit) return;
      this.#storeEntry(entry);
      if (entry.state === 'homeless' && !entry.used && this.#bytes <= this.#limit * HOMELESS_FACTOR) continue;
      this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes.length;
  }
}
