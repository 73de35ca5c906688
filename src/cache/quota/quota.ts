// What a process does for the quota of the cache it uses: notes what it stores and uses, becomes the keeper when there is
// none, and stops storing for a while when nobody can keep up. Nothing here waits.
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { ContentHash } from '../../objects/hash.ts';
import type { ObjectRequest } from '../../objects/object.ts';
import { onDisk } from './accounts.ts';
import { QuotaKeeper } from './keeper.ts';
import { KeeperLock } from './keeper-lock.ts';
import { type KeeperState, StateFile } from './keeper-state.ts';
import { LedgerReader, LedgerWriter } from './ledger.ts';
import { encodeLine, parseLine } from './ledger-line.ts';
import { NotedChecksums } from './noted-checksums.ts';
import { QuotaFiles } from './quota-files.ts';

/** A process that stores asks for the lock this often, milliseconds; the first time a little later, as most jobs are short. */
const LOCK_EVERY_MS = 300;
/** How often at most it looks how far others have got. */
const LOOK_EVERY_MS = 10;
/** Above this share of the limit it looks each time it stores. The keeper is at work then, unless it is stopped. */
const NEAR = 0.8;
/** So many processes may store something of the same size at the same moment, each without having seen the others. */
const CROWD = 100;
/** A ledger that is so many bytes ahead of the keeper is not read to see how bad it is. */
const FAR_BEHIND = 4 << 20;
/** Uses are noted together. Milliseconds. */
const TOUCH_AFTER_MS = 30_000;
const MAX_TOUCHED = 50_000;
/** For the last job on a node, which has nobody to leave the work to. */
const SETTLE_MS = 250;

export interface QuotaOptions {
  /** Of the objects. */
  readonly directory: string;
  /** Of the quota's own files, on a local file system. */
  readonly quotaDirectory: string;
  /** Bytes; undefined: nothing is removed unless somebody asks for it. */
  readonly limit: number | undefined;
  /** Told once when nobody can keep the quota. One line. */
  readonly warn?: (line: string) => void;
}

export class Quota {
  readonly #options: QuotaOptions;
  readonly #files: QuotaFiles;
  readonly #writer: LedgerWriter;
  readonly #state: StateFile;
  #lock: KeeperLock | undefined;
  #keeper: QuotaKeeper | undefined;
  #touched = new Set<string>();
  #touchTimer: NodeJS.Timeout | undefined;
  #lockTimer: NodeJS.Timeout | undefined;
  #askedAt = -Infinity;
  #lookedAt = -Infinity;
  #estimate = 0;
  #estimatedLimit = Infinity;
  /** Bytes that were noted since the last look, and in all. */
  #storedSince = 0;
  #stored = 0;
  #unusable = false;
  #closed = false;

  constructor(options: QuotaOptions) {
    this.#options = options;
    this.#files = new QuotaFiles(options.quotaDirectory);
    this.#writer = new LedgerWriter(this.#files.ledger);
    this.#state = new StateFile(this.#files.state, 'read');
  }

  /** There is room for an object of `size` bytes. False: use it without storing it. */
  hasRoomFor(size: number): boolean {
    if (this.#unusable || !this.#isLimited) return true;
    this.#lookNowAndThen(size);
    if (this.#estimate + this.#storedSince + onDisk(size) <= this.#estimatedLimit) return true;
    this.#askForLock(LOOK_EVERY_MS * 5);
    return false;
  }

  /**
   * To be called before the object appears: what is not there after all does less harm than what nobody knows of. False: it
   * must not appear, as there is no room.
   */
  adding(request: ObjectRequest, size: number, checksum?: number): boolean {
    this.#lookNowAndThen(0);
    // Where room is scarce it is reserved first, so that processes which ask at once see each other.
    const isScarce = !this.#unusable && this.#isScarce(size);
    const reserved = isScarce ? this.reserve(size) : undefined;
    if (isScarce && !reserved) return false;
    this.noteStored(request, size, checksum);
    if (reserved) this.release(reserved);
    return true;
  }

  /**
   * Room for a transfer of `size` bytes, beside what others transfer, be it the same object; undefined: there is none. It is
   * noted like an object that nobody will find, so that it is forgotten like one should this process be killed.
   */
  reserve(size: number): string | undefined {
    const hash = randomBytes(20).toString('hex');
    const label = 'transfer under way';
    this.#storedSince += onDisk(size);
    this.#note(encodeLine({ type: 'stored', hash, size, checksum: undefined, kind: 'file', label }));
    // Others have noted theirs, too.
    if (this.#isScarce(size)) this.#lookedAt = -Infinity;
    if (this.hasRoomFor(0)) return hash;
    this.release(hash);
    return undefined;
  }

  release(reservation: string): void {
    this.#note(encodeLine({ type: 'removed', hash: reservation }));
  }

  /** It has appeared, or will. */
  noteStored({ hash, letter, label }: ObjectRequest, size: number, checksum?: number): void {
    const kind = letter === 'C' ? 'catalog' : 'file';
    this.#storedSince += onDisk(size);
    this.#stored += onDisk(size);
    this.#note(encodeLine({ type: 'stored', hash: hash.toString(), size, checksum, kind, label }));
    if (this.#keeper || this.#closed || !this.#isLimited) return;
    if (this.#stored > (this.#options.limit ?? Infinity) / 100) this.#askForLock(LOCK_EVERY_MS);
    else this.#lockTimer ??= setTimeout(() => this.#askForLock(0), LOCK_EVERY_MS).unref();
  }

  removed(hash: ContentHash): void {
    this.#note(encodeLine({ type: 'removed', hash: hash.toString() }));
  }

  /** Hash strings without letter. */
  removedAll(hashes: readonly string[]): void {
    this.#note(hashes.map((hash) => encodeLine({ type: 'removed', hash })).join(''));
  }

  /** The keeper has not read all that was noted. */
  isBehind({ inode, offset }: KeeperState): boolean {
    const found = statSync(this.#files.ledger, { throwIfNoEntry: false });
    return found !== undefined && (found.ino !== inode || found.size > offset);
  }

  pin(hash: ContentHash, pinned: boolean): void {
    this.#note(encodeLine({ type: pinned ? 'pinned' : 'unpinned', hash: hash.toString() }));
  }

  /** On the way of every look-up: notes it in memory. */
  touch(hash: ContentHash): void {
    if (!this.#isLimited || this.#touched.size >= MAX_TOUCHED) return;
    this.#touched.add(hash.toString());
    this.#touchTimer ??= setTimeout(() => this.#noteTouched(), TOUCH_AFTER_MS).unref();
  }

  /** The disk is full: whoever keeps the quota makes room. */
  diskFull(): void {
    if (!this.#isLimited) return;
    this.#files.tellFull();
    this.#askForLock(0);
    this.#keeper?.start();
  }

  /** Asks the keeper to remove what was not used for longest until no more than `bytes` remain. */
  wantAtMost(bytes: number): void {
    this.#note(encodeLine({ type: 'wanted', bytes, seconds: Math.floor(Date.now() / 1000) }));
    this.#askForLock(0);
  }

  /** Counted by the keeper; undefined: nobody has counted yet. */
  state(): KeeperState | undefined {
    return this.#state.read();
  }

  get isKeeper(): boolean {
    return this.#keeper !== undefined;
  }

  /** Of what was stored, as the ledger has them. */
  get checksums(): (hash: ContentHash) => number | undefined {
    return new NotedChecksums(this.#files.ledger).of;
  }

  /** Bytes, by the parameters; undefined: none. */
  get limit(): number | undefined {
    return this.#options.limit;
  }

  get files(): QuotaFiles {
    return this.#files;
  }

  close(): void {
    if (this.#closed) return;
    this.#noteTouched();
    clearTimeout(this.#lockTimer);
    if (!this.#keeper && this.#isLimited && this.#stored > 0) {
      this.#look();
      if (this.#estimate > this.#estimatedLimit * 0.95) this.#askForLock(0);
    }
    this.#closed = true;
    try {
      this.#keeper?.settle(SETTLE_MS);
    } catch {
      // The next job's keeper does it.
    }
    this.#keeper?.close();
    this.#lock?.close();
    this.#writer.close();
    this.#state.close();
  }

  get #isLimited(): boolean {
    return this.#options.limit !== undefined;
  }

  #note(lines: string): void {
    if (lines === '' || this.#unusable || this.#closed) return;
    try {
      try {
        this.#writer.append(lines);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        this.#files.make();
        this.#writer.append(lines);
      }
    } catch {
      // Full or read-only disk: what is not noted is found when the directory is looked through.
    }
  }

  #noteTouched(): void {
    clearTimeout(this.#touchTimer);
    this.#touchTimer = undefined;
    if (this.#touched.size === 0) return;
    const lines = [...this.#touched].map((hash) => encodeLine({ type: 'used', hash })).join('');
    this.#touched.clear();
    this.#note(lines);
  }

  #askForLock(every: number): void {
    const time = performance.now();
    if (this.#keeper || this.#unusable || this.#closed || time - this.#askedAt < every) return;
    this.#askedAt = time;
    try {
      this.#files.make();
      this.#lock ??= new KeeperLock(this.#files.lock);
      if (!this.#lock.take()) return;
      const { directory, limit } = this.#options;
      this.#keeper = new QuotaKeeper({ files: this.#files, directory, limit, failed: () => this.#keeperFailed() });
      this.#keeper.start();
    } catch (error) {
      this.#giveUp(error as NodeJS.ErrnoException);
    }
  }

  /** Somebody removed the files: whoever stores next begins anew. */
  #keeperFailed(): void {
    this.#keeper = undefined;
    this.#lock?.close();
    this.#lock = undefined;
  }

  #giveUp({ code, message }: NodeJS.ErrnoException): void {
    this.#lock?.close();
    this.#lock = undefined;
    // A full or read-only disk does not stay so, or nothing is stored anyway.
    if (code && ['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE'].includes(code)) return;
    this.#unusable = true;
    const { directory } = this.#options;
    this.#options.warn?.(`the size of the cache ${directory} is not limited: ${message} in ${this.#files.directory}`);
  }

  #lookNowAndThen(size: number): void {
    if (this.#unusable || !this.#isLimited) return;
    const time = performance.now();
    if (!this.#isScarce(size) && time - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = time;
    this.#look();
  }

  #isScarce(size: number): boolean {
    const near = Math.min(this.#estimatedLimit * NEAR, this.#estimatedLimit - CROWD * onDisk(size));
    return this.#isLimited && this.#estimate + this.#storedSince + onDisk(size) > near;
  }

  /** How large the cache is: what the keeper counted, and what was noted since. */
  #look(): void {
    this.#storedSince = 0;
    const state = this.#state.read();
    const { limit = Infinity } = this.#options;
    this.#estimatedLimit = Math.min(state?.limit ?? limit, Number.MAX_SAFE_INTEGER);
    this.#estimate = this.#count(state);
  }

  #count(state: KeeperState | undefined): number {
    let reader: LedgerReader | undefined;
    try {
      reader = new LedgerReader(this.#files.ledger);
      // Not counted yet, or replaced a moment ago: then all that counts is in it.
      const from = state?.inode === reader.inode ? state : { offset: 0, used: 0 };
      const tail = reader.tail(from.offset);
      if (tail.length > FAR_BEHIND) return state ? Infinity : 0;
      return from.used + sumOf(tail);
    } catch {
      return state?.used ?? 0;
    } finally {
      reader?.close();
    }
  }
}

/** Bytes on disk that these lines of a ledger add. */
function sumOf(lines: Buffer): number {
  const added = new Map<string, number>();
  for (const text of lines.toString('latin1').split('\n')) {
    if (!text.startsWith('+') && !text.startsWith('-')) continue;
    const line = parseLine(text);
    if (line?.type === 'stored') added.set(line.hash, onDisk(line.size));
    else if (line?.type === 'removed') added.delete(line.hash);
  }
  let sum = 0;
  for (const bytes of added.values()) sum += bytes;
  return sum;
}
