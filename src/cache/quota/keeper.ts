// Keeps the size of a cache below its limit: reads the ledger as it grows, counts, and has removed what has to go
// (eviction.ts). One process does this for all: the one that holds the lock (keeper-lock.ts). Nobody waits for it.
import { type FSWatcher, statSync, watch } from 'node:fs';
import { Accounts } from './accounts.ts';
import { EffectiveLimit } from './effective-limit.ts';
import { Eviction } from './eviction.ts';
import { StateFile } from './keeper-state.ts';
import { LedgerReader, LedgerWriter } from './ledger.ts';
import { encodeLine, parseLine } from './ledger-line.ts';
import { rewriteLedger } from './ledger-rewrite.ts';
import type { QuotaFiles } from './quota-files.ts';
import { Reconciliation } from './reconciliation.ts';
import { SILENT_MS } from './transfers.ts';

/** While something happens, the ledger is looked at this often; then only when it changes. Milliseconds. */
const ACTIVE_MS = 20;
const QUIET_AFTER_MS = 1000;
const WITH_WATCH_MS = 10_000;
const WITHOUT_WATCH_MS = 500;
/** What can wait for a quiet moment waits no longer than this. Milliseconds. */
const TIDY_WITHIN_MS = 5000;
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
  readonly #limit: EffectiveLimit;
  readonly #eviction: Eviction;
  readonly #reconciliation: Reconciliation;
  readonly #reader: LedgerReader;
  readonly #writer: LedgerWriter;
  readonly #state: StateFile;
  #lines = 0;
  #fullSeen: number;
  #written = '';
  #busySince = performance.now();
  #transfersSeen = performance.now();
  #tidied = performance.now();
  #rewriting = false;
  #timer: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  #closed = false;

  /** The lock must be held. Throws the error of the system call. */
  constructor(options: KeeperOptions) {
    this.#options = options;
    const { files, directory, limit = Infinity } = options;
    files.make();
    this.#fullSeen = timeOf(files.full);
    this.#reader = new LedgerReader(files.ledger);
    this.#writer = new LedgerWriter(files.ledger);
    this.#state = new StateFile(files.state, 'write');
    this.#limit = new EffectiveLimit(files, directory, limit);
    const common = { accounts: this.#accounts, directory, note: (lines: string) => this.#note(lines) };
    this.#reconciliation = new Reconciliation({ ...common, readAll: () => this.#readUntil(Infinity) });
    const isComplete = (): boolean => this.#reconciliation.began > 0;
    this.#eviction = new Eviction({ ...common, limit: this.#limit, isComplete });
  }

  /** Goes on until `close`. */
  start(): void {
    this.#schedule(0);
  }

  /** Reads what has come and removes what has to go, at once, for so many milliseconds at most. For the end of a process. */
  settle(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    this.#readUntil(end);
    this.#eviction.settle(end);
    this.#writeState();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    this.#eviction.close();
    this.#reconciliation.close();
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
        this.#forgetTransfers();
        // Before anything is removed: nobody shall take the room of what is not gone yet.
        this.#writeState();
        this.#eviction.goOn();
      }
      const time = performance.now();
      const isBusy = !this.#reader.isAtEnd || this.#eviction.isBusy;
      if (!isBusy && (!news || time - this.#tidied > TIDY_WITHIN_MS)) this.#tidy();
      if (news || isBusy) this.#busySince = time;
      if (!this.#reader.isAtEnd) this.#schedule(0);
      else if (performance.now() - this.#busySince < QUIET_AFTER_MS) this.#schedule(ACTIVE_MS);
      else this.#rest();
    } catch (error) {
      this.#fail(error as Error);
    }
  };

  #fail(error: Error): void {
    if (this.#closed) return;
    this.close();
    this.#options.failed(error);
  }

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
      this.#schedule(this.#hasNews() ? 0 : WITH_WATCH_MS);
    } catch {
      this.#schedule(WITHOUT_WATCH_MS);
    }
  }

  #hasNews(): boolean {
    const { files } = this.#options;
    const { isStale, offset } = this.#reader;
    return isStale || statSync(files.ledger).size > offset || timeOf(files.full) !== this.#fullSeen;
  }

  /** One piece of the ledger; false: there is nothing new. */
  #read(): boolean {
    if (this.#rewriting) return false;
    const lines = this.#reader.read();
    for (const text of lines) {
      const line = parseLine(text);
      if (!line) continue;
      this.#accounts.apply(line);
      this.#reconciliation.apply(line);
      this.#eviction.apply(line);
    }
    this.#lines += lines.length;
    return lines.length > 0;
  }

  /** All that has come. `end`: by performance.now(). */
  #readUntil(end: number): void {
    do this.#read();
    while (!this.#reader.isAtEnd && performance.now() < end);
  }

  #lookAtDisk(): void {
    const time = timeOf(this.#options.files.full);
    if (time === this.#fullSeen) return;
    this.#fullSeen = time;
    const { used } = this.#accounts;
    this.#eviction.want(used - Math.min(used, Math.max(used * FULL_SHARE, FULL_BYTES)));
  }

  #forgetTransfers(): void {
    if (performance.now() - this.#transfersSeen < SILENT_MS) return;
    this.#transfersSeen = performance.now();
    const silent = this.#accounts.silentTransfers();
    for (const hash of silent) this.#accounts.remove(hash);
    this.#note(silent.map((hash) => encodeLine({ type: 'removed', hash })).join(''));
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
    const used = this.#accounts.used + this.#eviction.leaving;
    const limit = Math.min(this.#limit.of(this.#accounts.used), Number.MAX_SAFE_INTEGER);
    const { inode, offset } = this.#reader;
    const scanned = this.#reconciliation.began;
    const content = `${inode} ${offset} ${used} ${pinned} ${limit} ${scanned}`;
    if (content === this.#written) return;
    try {
      this.#state.write({ inode, offset, used, pinned, catalogs, objects, limit, scanned, time: Date.now() });
      this.#written = content;
    } catch {
      // full disk: readers see what was true before
    }
  }

  #tidy(): void {
    this.#tidied = performance.now();
    if (this.#rewriting || this.#reconciliation.isRunning) return;
    if (this.#reconciliation.isDue) void this.#reconcile();
    else if (this.#lines > 2 * this.#accounts.size + SPARE_LINES) void this.#rewrite();
  }

  async #reconcile(): Promise<void> {
    try {
      const areNew = await this.#reconciliation.run();
      if (this.#closed) return;
      // The order of use is that of the lines, and what nobody knew of comes before all else.
      if (areNew) await this.#rewrite();
      else this.#reconciliation.noteDone();
      this.#schedule(0);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #rewrite(): Promise<void> {
    if (this.#rewriting || this.#closed) return;
    this.#rewriting = true;
    try {
      const { lines, bytes } = await rewriteLedger(this.#options.files.ledger, this.#reader, this.#accounts);
      if (this.#closed) return;
      this.#lines = lines;
      this.#reader.reopen(bytes);
      this.#reconciliation.noteDone();
    } catch {
      // full disk: the old one goes on, and is not tried again soon
      this.#lines = 0;
    } finally {
      this.#rewriting = false;
    }
  }
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
