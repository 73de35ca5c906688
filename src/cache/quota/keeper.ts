// Keeps the size of a cache below its limit: reads the ledger as it grows, counts, and removes what was not used for longest.
// One process does this for all: the one that holds the lock (keeper-lock.ts). Nobody waits for it. A file that is removed
// while somebody reads it stays until it is closed.
import { existsSync, type FSWatcher, readFileSync, statSync, unlink, unlinkSync, watch } from 'node:fs';
import { Accounts, onDisk } from './accounts.ts';
import { spareRoom } from './disk-room.ts';
import { StateFile } from './keeper-state.ts';
import { LedgerReader, LedgerWriter } from './ledger.ts';
import { encodeLine, type LedgerLine, parseLine } from './ledger-line.ts';
import { rewriteLedger } from './ledger-rewrite.ts';
import type { QuotaFiles } from './quota-files.ts';
import { type FoundObject, pathOfObject, scanObjects } from './scan.ts';

/** Removing begins above this share of the limit, and ends below the other: what is stored meanwhile has room. */
const HIGH = 0.95;
const LOW = 0.9;
/** Catalogs may take this share of the limit before they are removed like files (client.md §6.3: the threshold). */
const CATALOG_SHARE = 0.5;
/** While something happens, the ledger is looked at this often; then only when it changes. Milliseconds. */
const ACTIVE_MS = 20;
const QUIET_AFTER_MS = 1000;
const WITHOUT_WATCH_MS = 500;
const UNLINKS = 32;
/** A wish from before that is an old line. */
const WANTED_FOR_S = 60;
/** The settings and the disk are looked at this often, in milliseconds. */
const LIMIT_FOR_MS = 200;
/** The directory itself is looked through again after this time: others may have put something there. */
const SCAN_EVERY_MS = 3600_000;
/** Transfers that were noted take this long at most, or their room is not counted any more. */
const DOUBT_FOR_MS = 30_000;
/** A ledger is replaced when it has this many lines more than needed. */
const SPARE_LINES = 20_000;
/** Freed at once when a process finds the disk full: bytes, or this share of what there is. */
const FULL_SHARE = 0.1;
const FULL_BYTES = 64 * 1024 * 1024;

export interface KeeperOptions {
  readonly files: QuotaFiles;
  /** Of the objects. */
  readonly directory: string;
  /** Bytes, by CVMFS_QUOTA_LIMIT; undefined: as the disk allows. */
  readonly limit: number | undefined;
  /** Told that accounts cannot be kept. */
  readonly failed: (error: Error) => void;
}

export class QuotaKeeper {
  readonly #options: KeeperOptions;
  readonly #accounts = new Accounts();
  readonly #reader: LedgerReader;
  readonly #writer: LedgerWriter;
  readonly #state: StateFile;
  #lines = 0;
  #scanned = 0;
  /** Noted since the scan began: what it says of these is old. */
  #changed: Set<string> | undefined;
  /** Noted, and not found by the scan. */
  #doubted = new Set<string>();
  #wanted = Infinity;
  /** Something was removed of late, which has not been noted as a clean-up yet. */
  #removed = false;
  #fullSeen: number;
  /** Files that are being removed, and their bytes. */
  #removing = 0;
  #leaving = 0;
  #limitSince = -Infinity;
  #setLimit = Infinity;
  #spare = Infinity;
  #written = '';
  #busySince = 0;
  #rewriting = false;
  #timer: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  #closed = false;

  /** The lock must be held. Throws the error of the system call. */
  constructor(options: KeeperOptions) {
    this.#options = options;
    const { files } = options;
    files.make();
    this.#fullSeen = timeOf(files.full);
    this.#reader = new LedgerReader(files.ledger);
    this.#writer = new LedgerWriter(files.ledger);
    this.#state = new StateFile(files.state, 'write');
    this.#busySince = performance.now();
  }

  /** Goes on until `close`. */
  start(): void {
    this.#schedule(0);
  }

  get accounts(): Accounts {
    return this.#accounts;
  }

  /** Reads what has come and removes what has to go, at once, for so many milliseconds at most. For the end of a process. */
  settle(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    do this.#read();
    while (!this.#reader.isAtEnd && performance.now() < end);
    const target = this.#target();
    while (this.#accounts.used > target && performance.now() < end) {
      const victims = this.#takeVictims(target);
      if (victims.length === 0) break;
      for (const { hash } of victims) {
        try {
          unlinkSync(pathOfObject(this.#options.directory, hash));
        } catch {
          // gone already, or not ours to remove
        }
      }
    }
    this.#writeState();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    this.#reader.close();
    this.#writer.close();
    this.#state.close();
  }

  readonly #turn = (): void => {
    this.#timer = undefined;
    if (this.#closed) return;
    try {
      // A quota directory that was removed is made again by whoever comes next.
      if (this.#reader.isStale) throw new Error('the ledger was removed');
      const news = this.#read();
      if (this.#reader.isAtEnd) {
        this.#lookAtDisk();
        this.#remove();
        this.#writeState();
      }
      if (news || this.#removing > 0) this.#busySince = performance.now();
      else this.#tidy();
      if (!this.#reader.isAtEnd) this.#schedule(0);
      else if (performance.now() - this.#busySince < QUIET_AFTER_MS) this.#schedule(ACTIVE_MS);
      else this.#rest();
    } catch (error) {
      this.close();
      this.#options.failed(error as Error);
    }
  };

  #schedule(milliseconds: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#turn, milliseconds);
    this.#timer.unref();
  }

  /** Sleeps until the ledger changes. */
  #rest(): void {
    try {
      const wake = (): void => {
        this.#watcher?.close();
        this.#watcher = undefined;
        this.#busySince = performance.now();
        this.#schedule(0);
      };
      this.#watcher?.close();
      this.#watcher = watch(this.#options.files.directory, { persistent: false }, wake).on('error', wake);
      // What came before the watch began has no event.
      this.#schedule(this.#hasNews() ? 0 : WITHOUT_WATCH_MS * 20);
    } catch {
      this.#schedule(WITHOUT_WATCH_MS);
    }
  }

  #hasNews(): boolean {
    const { files } = this.#options;
    return (
      this.#reader.isStale || statSync(files.ledger).size > this.#reader.offset || timeOf(files.full) > this.#fullSeen
    );
  }

  /** One piece of the ledger; false: there is nothing new. */
  #read(): boolean {
    if (this.#rewriting) return false;
    const lines = this.#reader.read();
    for (const text of lines) {
      const line = parseLine(text);
      if (line) this.#apply(line);
    }
    this.#lines += lines.length;
    return lines.length > 0;
  }

  #apply(line: LedgerLine): void {
    this.#accounts.apply(line);
    if (line.type === 'stored') {
      this.#changed?.add(line.hash);
      this.#doubted.delete(line.hash);
    }
    if (line.type === 'wanted') {
      if (now() - line.seconds < WANTED_FOR_S) this.#wanted = Math.min(this.#wanted, line.bytes);
    } else if (line.type === 'event' && line.word === `scan ${bootId()}`) this.#scanned = line.seconds * 1000;
  }

  #lookAtDisk(): void {
    const time = timeOf(this.#options.files.full);
    if (time <= this.#fullSeen) return;
    this.#fullSeen = time;
    const { used } = this.#accounts;
    this.#wanted = Math.min(this.#wanted, used - Math.min(used, Math.max(used * FULL_SHARE, FULL_BYTES)));
  }

  #limit(): number {
    const time = performance.now();
    if (time - this.#limitSince > LIMIT_FOR_MS) {
      const { files, directory, limit = Infinity } = this.#options;
      this.#limitSince = time;
      this.#setLimit = files.limit ?? limit;
      this.#spare = spareRoom(directory);
    }
    return Math.min(this.#setLimit, Math.max(0, this.#accounts.used + this.#spare));
  }

  /** Bytes above which something has to go; Infinity: nothing. */
  #target(): number {
    const limit = this.#limit();
    const target = this.#accounts.used > limit * HIGH ? limit * LOW : Infinity;
    return Math.min(target, this.#wanted);
  }

  #remove(): void {
    const target = this.#target();
    if (this.#accounts.used <= target) {
      // What nobody knows of yet is looked for first.
      if (this.#scanned > 0) this.#wanted = Infinity;
      return;
    }
    // Once begun, it goes on down to the lower mark.
    this.#wanted = target;
    if (this.#removing > 0) return;
    const victims = this.#takeVictims(target);
    for (const { hash, bytes } of victims) {
      this.#removing++;
      this.#leaving += bytes;
      unlink(pathOfObject(this.#options.directory, hash), () => {
        this.#removing--;
        this.#leaving -= bytes;
        if (!this.#closed && this.#removing === 0) this.#remove();
      });
    }
    this.#removed ||= victims.length > 0;
    if (victims.length > 0 && this.#accounts.used > target) return;
    // Done, or everything else is pinned.
    this.#wanted = Infinity;
    if (this.#removed) this.#note(encodeLine({ type: 'event', seconds: now(), word: 'cleanup' }));
    this.#removed = false;
  }

  /**
   * Some of those that have to go; they are not counted any more. The ledger says so before they are removed: whoever stores
   * one of them anew says that after it.
   */
  #takeVictims(target: number): { hash: string; bytes: number }[] {
    const share = this.#limit() * CATALOG_SHARE;
    const victims: { hash: string; bytes: number }[] = [];
    while (victims.length < UNLINKS && this.#accounts.used > target) {
      const hash = this.#accounts.victim(share);
      if (hash === undefined) break;
      victims.push({ hash, bytes: onDisk(this.#accounts.sizeOf(hash)) });
      this.#accounts.remove(hash);
    }
    this.#note(victims.map(({ hash }) => encodeLine({ type: 'removed', hash })).join(''));
    return victims;
  }

  /** What is not noted makes the next keeper look for a file in vain, no more. */
  #note(lines: string): void {
    if (lines === '') return;
    try {
      this.#writer.append(lines);
    } catch {
      // full disk
    }
  }

  #writeState(): void {
    const { pinned, catalogs, size: objects } = this.#accounts;
    const used = this.#accounts.used + this.#leaving;
    const limit = Math.min(this.#limit(), Number.MAX_SAFE_INTEGER);
    const { inode, offset } = this.#reader;
    const scanned = this.#scanned;
    const content = `${inode} ${offset} ${used} ${pinned} ${limit} ${scanned}`;
    if (content === this.#written) return;
    try {
      this.#state.write({ inode, offset, used, pinned, catalogs, objects, limit, scanned, time: Date.now() });
      this.#written = content;
    } catch {
      // full disk: readers see what was true before
    }
  }

  /** What can wait for a quiet moment. */
  #tidy(): void {
    if (this.#rewriting || this.#changed) return;
    if (Date.now() - this.#scanned > SCAN_EVERY_MS) void this.#scan();
    else if (this.#lines > 2 * this.#accounts.size + SPARE_LINES) void this.#rewrite();
  }

  async #scan(): Promise<void> {
    const before = new Set(this.#accounts.keys());
    this.#changed = new Set();
    const began = Date.now();
    const unknown: FoundObject[] = [];
    for await (const found of scanObjects(this.#options.directory)) {
      if (this.#closed) return;
      for (const object of found) {
        if (!before.delete(object.hash) && !this.#accounts.has(object.hash)) unknown.push(object);
      }
    }
    // What was stored during the scan has its lines.
    do this.#read();
    while (!this.#reader.isAtEnd);
    for (const hash of before) if (!this.#changed.has(hash) && this.#accounts.has(hash)) this.#doubted.add(hash);
    setTimeout(() => this.#forgetDoubted(), DOUBT_FOR_MS).unref();
    const fresh = unknown.filter(({ hash }) => !this.#accounts.has(hash) && !this.#changed?.has(hash));
    fresh.sort((a, b) => a.used - b.used);
    this.#accounts.addOlder(fresh);
    this.#changed = undefined;
    this.#scanned = began;
    // The order of use is that of the lines, and what nobody knew of comes before all else.
    if (fresh.length > 0) await this.#rewrite();
    else this.#noteScan();
    this.#schedule(0);
  }

  /** What the scan did not find was noted before it, but may have come after it. */
  #forgetDoubted(): void {
    if (this.#closed) return;
    const gone = [...this.#doubted].filter((hash) => {
      if (!this.#accounts.has(hash)) return false;
      return !existsSync(pathOfObject(this.#options.directory, hash));
    });
    this.#doubted.clear();
    for (const hash of gone) this.#accounts.remove(hash);
    this.#note(gone.map((hash) => encodeLine({ type: 'removed', hash })).join(''));
    this.#schedule(0);
  }

  async #rewrite(): Promise<void> {
    if (this.#rewriting || this.#closed) return;
    this.#rewriting = true;
    try {
      const { lines, bytes } = await rewriteLedger(this.#options.files.ledger, this.#reader, this.#accounts);
      if (this.#closed) return;
      this.#lines = lines;
      this.#reader.reopen(bytes);
      this.#noteScan();
    } catch {
      // full disk: the old one goes on
    } finally {
      this.#rewriting = false;
    }
  }

  #noteScan(): void {
    this.#note(encodeLine({ type: 'event', seconds: Math.floor(this.#scanned / 1000), word: `scan ${bootId()}` }));
  }
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

let boot: string | undefined;

/** Lines that were written shortly before a crash of the machine may be lost: what was counted before it is doubted. */
function bootId(): string {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    boot = 'unknown';
  }
  return boot;
}
