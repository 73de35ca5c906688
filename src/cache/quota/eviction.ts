// Removes what was not used for longest, when a cache is nearly full or somebody wants it smaller. A file that is removed
// while somebody reads it stays until it is closed.
import { unlink, unlinkSync } from 'node:fs';
import { type Accounts, onDisk } from './accounts.ts';
import type { EffectiveLimit } from './effective-limit.ts';
import { encodeLine, type LedgerLine } from './ledger-line.ts';
import { pathOfObject } from './scan.ts';

/** Removing begins above this share of the limit, and ends below the other: what is stored meanwhile has room. */
const HIGH = 0.95;
const LOW = 0.9;
/** Catalogs may take this share of the limit before they are removed like files (client.md §6.3: the threshold). */
const CATALOG_SHARE = 0.5;
/** Files that are removed at once. */
const UNLINKS = 32;
/** A wish from before that is an old line. */
const WANTED_FOR_S = 60;
/** Removals at the end of a ledger that may not have been done. */
const UNFINISHED = 1000;

export interface EvictionOptions {
  readonly accounts: Accounts;
  /** Of the objects. */
  readonly directory: string;
  readonly limit: EffectiveLimit;
  /** Appends to the ledger. */
  readonly note: (lines: string) => void;
  /** The accounts know of all that is in the directory. */
  readonly isComplete: () => boolean;
}

export class Eviction {
  readonly #options: EvictionOptions;
  #wanted = Infinity;
  /** Something was removed of late, which has not been noted as a clean-up yet. */
  #removed = false;
  /** Files that are being removed, and their bytes. */
  #removing = 0;
  #leaving = 0;
  /** Removed, by lines of a former keeper's time. */
  #unfinished: Set<string> | undefined = new Set();
  #closed = false;

  constructor(options: EvictionOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#removing > 0;
  }

  /** Bytes on disk of what is not counted any more and still there. */
  get leaving(): number {
    return this.#leaving;
  }

  /** To be told of all lines of the ledger. */
  apply(line: LedgerLine): void {
    if (line.type === 'wanted' && Math.abs(now() - line.seconds) < WANTED_FOR_S) this.want(line.bytes);
    if (!this.#unfinished) return;
    if (line.type === 'stored') this.#unfinished.delete(line.hash);
    else if (line.type === 'removed') this.#unfinished.add(line.hash);
    else if (line.type === 'event' && line.word === 'cleanup') this.#unfinished.clear();
  }

  /** No more than `bytes` shall remain. */
  want(bytes: number): void {
    this.#wanted = Math.min(this.#wanted, bytes);
  }

  /** Removes some of what has to go, and then more. To be called when all of the ledger has been read. */
  readonly goOn = (): void => {
    if (this.#closed || this.#removing > 0) return;
    this.#finishOthers();
    const target = this.#target();
    const victims = this.#takeVictims(target);
    if (victims.length === 0) {
      this.#done(target);
      return;
    }
    this.#removed = true;
    // Once begun, it goes on down to the lower mark.
    this.#wanted = target;
    for (const { hash, bytes } of victims) this.#unlink(hash, bytes);
  };

  /** Removes what has to go until `end`, by performance.now(), before it returns. */
  settle(end: number): void {
    const target = this.#target();
    while (performance.now() < end) {
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
  }

  close(): void {
    this.#closed = true;
  }

  /** Bytes above which something has to go; Infinity: nothing. */
  #target(): number {
    const { accounts, limit } = this.#options;
    const most = limit.of(accounts.used);
    return Math.min(accounts.used > most * HIGH ? most * LOW : Infinity, this.#wanted);
  }

  /** It is small enough, or everything else is pinned. */
  #done(target: number): void {
    const { accounts, isComplete, note } = this.#options;
    // What nobody knows of yet is looked for first.
    if (accounts.used > target || isComplete()) this.#wanted = Infinity;
    if (this.#removed) note(encodeLine({ type: 'event', seconds: now(), word: 'cleanup' }));
    this.#removed = false;
  }

  /**
   * Some of those that have to go; they are not counted any more. The ledger says so before they are removed: whoever stores
   * one of them anew says that after it.
   */
  #takeVictims(target: number): { hash: string; bytes: number }[] {
    const { accounts, limit, note } = this.#options;
    const share = limit.of(accounts.used) * CATALOG_SHARE;
    const victims: { hash: string; bytes: number }[] = [];
    while (victims.length < UNLINKS && accounts.used > target) {
      const hash = accounts.victim(share);
      if (hash === undefined) break;
      victims.push({ hash, bytes: onDisk(accounts.sizeOf(hash)) });
      accounts.remove(hash);
    }
    note(victims.map(({ hash }) => encodeLine({ type: 'removed', hash })).join(''));
    return victims;
  }

  #unlink(hash: string, bytes: number): void {
    this.#removing++;
    this.#leaving += bytes;
    unlink(pathOfObject(this.#options.directory, hash), () => {
      this.#removing--;
      this.#leaving -= bytes;
      this.goOn();
    });
  }

  /** A keeper that was killed may have noted what it did not come to remove. */
  #finishOthers(): void {
    const hashes = [...(this.#unfinished ?? [])].slice(-UNFINISHED);
    this.#unfinished = undefined;
    for (const hash of hashes) this.#unlink(hash, 0);
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
