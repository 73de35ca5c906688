// What a process does for the quota of the cache it uses: notes what it stores and uses, becomes the keeper when there is
// none, and stops storing for a while when nobody can keep up. Nothing here waits.
import { statSync } from 'node:fs';
import type { ContentHash } from '../../objects/hash.ts';
import type { ObjectRequest } from '../../objects/object.ts';
import { onDisk } from './accounts.ts';
import { QuotaKeeper } from './keeper.ts';
import { KeeperLock } from './keeper-lock.ts';
import type { KeeperState } from './keeper-state.ts';
import { LedgerWriter } from './ledger.ts';
import { encodeLine } from './ledger-line.ts';
import { NotedChecksums } from './noted-checksums.ts';
import { QuotaFiles } from './quota-files.ts';
import { Room } from './room.ts';
import { Transfers } from './transfers.ts';

/** A process that stores asks for the lock this often, milliseconds; the first time a little later, as most jobs are short. */
const LOCK_EVERY_MS = 300;
/** And one that found no room, this often. */
const LOCK_WITHOUT_ROOM_MS = 50;
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

export type LedgerPosition = Pick<KeeperState, 'inode' | 'offset'>;

export class Quota {
  readonly #options: QuotaOptions;
  readonly #files: QuotaFiles;
  readonly #writer: LedgerWriter;
  readonly #room: Room;
  readonly #transfers = new Transfers((lines) => this.#note(lines));
  #lock: KeeperLock | undefined;
  #keeper: QuotaKeeper | undefined;
  #touched = new Set<string>();
  #touchTimer: NodeJS.Timeout | undefined;
  #lockTimer: NodeJS.Timeout | undefined;
  #askedAt = -Infinity;
  /** Bytes on disk that were noted. */
  #stored = 0;
  #unusable = false;
  #closed = false;

  constructor(options: QuotaOptions) {
    this.#options = options;
    this.#files = new QuotaFiles(options.quotaDirectory);
    this.#writer = new LedgerWriter(this.#files.ledger);
    this.#room = new Room(this.#files, options.limit ?? Infinity);
  }

  /**
   * To be called before the object appears: what is not there after all does less harm than what nobody knows of. False: it
   * must not appear, as there is no room.
   */
  adding(request: ObjectRequest, size: number, checksum?: number): boolean {
    const stored = storedLine(request, size, checksum);
    if (this.#isKept) this.#room.lookNowAndThen(0);
    if (!this.#isKept || !this.#room.isScarceFor(size)) {
      this.#noteStored(stored, size);
      return true;
    }
    // Where room is scarce it is reserved first, so that processes which ask at once see each other.
    const transfer = this.#begin(size);
    if (transfer === undefined) return false;
    this.#transfers.end(transfer, stored);
    this.#haveStored(size);
    return true;
  }

  /** Room for a transfer of `size` bytes, until what is returned is called; undefined: there is none. */
  reserve(size: number): (() => void) | undefined {
    if (!this.#isKept) return () => {};
    const transfer = this.#begin(size);
    return transfer === undefined ? undefined : () => this.#transfers.end(transfer);
  }

  /** It has appeared, or will. */
  noteStored(request: ObjectRequest, size: number, checksum?: number): void {
    this.#noteStored(storedLine(request, size, checksum), size);
  }

  removed(hash: ContentHash): void {
    this.#note(encodeLine({ type: 'removed', hash: hash.toString() }));
  }

  /** Hash strings without letter. */
  removedAll(hashes: readonly string[]): void {
    this.#note(hashes.map((hash) => encodeLine({ type: 'removed', hash })).join(''));
  }

  /** The end of what was noted up to now. */
  position(): LedgerPosition {
    const found = statSync(this.#files.ledger, { throwIfNoEntry: false });
    return { inode: found?.ino ?? 0, offset: found?.size ?? 0 };
  }

  /** Whoever counted so had not read the ledger up to there. */
  isBehind({ inode, offset }: LedgerPosition, position: LedgerPosition): boolean {
    if (inode === position.inode) return offset < position.offset;
    // It was replaced since: what is counted by the new one was counted after that.
    return inode !== this.position().inode;
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
    return this.#room.state();
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
      this.#room.look();
      if (this.#room.isTaken(0.95)) this.#askForLock(0);
    }
    this.#closed = true;
    try {
      this.#keeper?.settle(SETTLE_MS);
    } catch {
      // The next job's keeper does it.
    }
    this.#keeper?.close();
    this.#lock?.close();
    this.#transfers.close();
    this.#writer.close();
    this.#room.close();
  }

  get #isLimited(): boolean {
    return this.#options.limit !== undefined;
  }

  get #isKept(): boolean {
    return this.#isLimited && !this.#unusable;
  }

  /** undefined: there is no room. */
  #begin(size: number): string | undefined {
    this.#room.noted(onDisk(size));
    const transfer = this.#transfers.begin(size);
    // Others have noted theirs, too.
    this.#room.lookNowAndThen(size);
    if (this.#room.isEnough) return transfer;
    this.#transfers.end(transfer);
    this.#askForLock(LOCK_WITHOUT_ROOM_MS);
    return undefined;
  }

  #noteStored(line: string, size: number): void {
    this.#room.noted(onDisk(size));
    this.#note(line);
    this.#haveStored(size);
  }

  /** A process that stores much asks for the lock now and then. */
  #haveStored(size: number): void {
    this.#stored += onDisk(size);
    if (this.#keeper || this.#closed || !this.#isLimited) return;
    if (this.#stored > (this.#options.limit ?? Infinity) / 100) this.#askForLock(LOCK_EVERY_MS);
    else this.#lockTimer ??= setTimeout(() => this.#askForLock(0), LOCK_EVERY_MS).unref();
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
}

function storedLine({ hash, letter, label }: ObjectRequest, size: number, checksum: number | undefined): string {
  const kind = letter === 'C' ? 'catalog' : 'file';
  return encodeLine({ type: 'stored', hash: hash.toString(), size, checksum, kind, label });
}
