// Compares the accounts with what is really in the directory: now and then, as others may have put something there, and after
// a crash of the machine, as lines that were written shortly before may be lost.
import { existsSync } from 'node:fs';
import { bootId } from '../boot-id.ts';
import type { Accounts } from './accounts.ts';
import { encodeLine, type LedgerLine } from './ledger-line.ts';
import { type FoundObject, pathOfObject, scanObjects } from './scan.ts';

const EVERY_MS = 3600_000;
/** What was noted and not found is looked for again after this time: it may have been about to appear. */
const DOUBT_FOR_MS = 30_000;

export interface ReconciliationOptions {
  readonly accounts: Accounts;
  /** Of the objects. */
  readonly directory: string;
  /** Reads all of the ledger that has come. */
  readonly readAll: () => void;
  /** Appends to the ledger. */
  readonly note: (lines: string) => void;
}

export class Reconciliation {
  readonly #options: ReconciliationOptions;
  #began = 0;
  /** Noted since the scan began: what it says of these is old. */
  #changed: Set<string> | undefined;
  /** Noted, and not found by the scan. */
  readonly #doubted = new Set<string>();
  #closed = false;

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** When the last scan that was completed began, milliseconds since 1970; 0: there was none. */
  get began(): number {
    return this.#began;
  }

  get isRunning(): boolean {
    return this.#changed !== undefined;
  }

  get isDue(): boolean {
    return !this.isRunning && Math.abs(Date.now() - this.#began) > EVERY_MS;
  }

  /** To be told of all lines of the ledger. */
  apply(line: LedgerLine): void {
    if (line.type === 'stored') {
      this.#changed?.add(line.hash);
      this.#doubted.delete(line.hash);
    } else if (line.type === 'event' && line.word === scanWord()) this.#began = line.seconds * 1000;
  }

  /** True: there are objects of which the ledger does not know, and which are counted now. */
  async run(): Promise<boolean> {
    const { accounts, directory, readAll } = this.#options;
    const before = new Set(accounts.keys());
    const changed = new Set<string>();
    this.#changed = changed;
    const began = Date.now();
    const unknown: FoundObject[] = [];
    for await (const found of scanObjects(directory)) {
      if (this.#closed) return false;
      for (const object of found) {
        if (!before.delete(object.hash) && !accounts.has(object.hash)) unknown.push(object);
      }
    }
    // What was stored during the scan has its lines.
    readAll();
    for (const hash of before) if (!changed.has(hash) && accounts.has(hash)) this.#doubted.add(hash);
    setTimeout(() => this.#forgetDoubted(), DOUBT_FOR_MS).unref();
    const fresh = unknown.filter(({ hash }) => !accounts.has(hash) && !changed.has(hash));
    fresh.sort((a, b) => a.used - b.used);
    accounts.addOlder(fresh);
    this.#changed = undefined;
    this.#began = began;
    return fresh.length > 0;
  }

  /** So that the next keeper need not do it again. */
  noteDone(): void {
    const seconds = Math.floor(this.#began / 1000);
    this.#options.note(encodeLine({ type: 'event', seconds, word: scanWord() }));
  }

  close(): void {
    this.#closed = true;
  }

  #forgetDoubted(): void {
    if (this.#closed) return;
    const { accounts, directory, note } = this.#options;
    const gone = [...this.#doubted].filter((hash) => accounts.has(hash) && !existsSync(pathOfObject(directory, hash)));
    this.#doubted.clear();
    for (const hash of gone) accounts.remove(hash);
    note(gone.map((hash) => encodeLine({ type: 'removed', hash })).join(''));
  }
}

/** Says when what was counted is to be doubted: after the machine was started anew. */
function scanWord(): string {
  return `scan ${bootId() ?? 'unknown'}`;
}
