// How much room a cache has, as one process sees it: what the keeper counted, and what all have noted since. By the ledger
// and not by the disk: room is there when the keeper says so, not when somebody notes that he is about to remove something.
import { onDisk } from './accounts.ts';
import { type KeeperState, StateFile } from './keeper-state.ts';
import { LedgerReader } from './ledger.ts';
import { parseLine } from './ledger-line.ts';
import type { QuotaFiles } from './quota-files.ts';

/** How often at most it is looked how far others have got. */
const LOOK_EVERY_MS = 10;
/** Above this share of the limit it is looked each time. The keeper is at work then, unless it is stopped. */
const NEAR = 0.8;
/** So many processes may store something of the same size at the same moment, each without having seen the others. */
const CROWD = 100;
/** A ledger that is so many bytes ahead of the keeper is not read to see how bad it is. */
const FAR_BEHIND = 4 << 20;

export class Room {
  readonly #files: QuotaFiles;
  readonly #state: StateFile;
  readonly #setLimit: number;
  #limit = Infinity;
  #used = 0;
  /** Bytes on disk that this process noted since it looked. */
  #since = 0;
  #lookedAt = -Infinity;

  /** `limit`: bytes, by the parameters. */
  constructor(files: QuotaFiles, limit: number) {
    this.#files = files;
    this.#state = new StateFile(files.state, 'read');
    this.#setLimit = limit;
  }

  /** This process has noted so many bytes. */
  noted(bytes: number): void {
    this.#since += bytes;
  }

  /** All that was noted has room. */
  get isEnough(): boolean {
    return this.#used + this.#since <= this.#limit;
  }

  /** Others may be about to take what there is. `size`: bytes of an object. */
  isScarceFor(size: number): boolean {
    const near = Math.min(this.#limit * NEAR, this.#limit - CROWD * onDisk(size));
    return this.#used + this.#since + onDisk(size) > near;
  }

  /** More than this share of the limit is taken. */
  isTaken(share: number): boolean {
    return this.#used > this.#limit * share;
  }

  lookNowAndThen(size: number): void {
    if (this.isScarceFor(size) || performance.now() - this.#lookedAt >= LOOK_EVERY_MS) this.look();
  }

  look(): void {
    this.#lookedAt = performance.now();
    this.#since = 0;
    const state = this.state();
    this.#limit = Math.min(state?.limit ?? this.#setLimit, Number.MAX_SAFE_INTEGER);
    this.#used = this.#count(state);
  }

  /** Counted by the keeper; undefined: nobody has counted yet. */
  state(): KeeperState | undefined {
    return this.#state.read();
  }

  close(): void {
    this.#state.close();
  }

  #count(state: KeeperState | undefined): number {
    let reader: LedgerReader | undefined;
    try {
      reader = new LedgerReader(this.#files.ledger);
      let from = state;
      if (from?.inode !== reader.inode) {
        // Perhaps the whole directory is a new one.
        this.#state.close();
        from = this.#state.read();
      }
      // Not counted yet, or replaced a moment ago: then all that counts is in it.
      const counted = from?.inode === reader.inode ? from : { offset: 0, used: 0 };
      const tail = reader.tail(counted.offset, FAR_BEHIND);
      return tail ? counted.used + sumOf(tail) : Infinity;
    } catch {
      return state?.used ?? 0;
    } finally {
      reader?.close();
    }
  }
}

/**
 * Bytes on disk that these lines of a ledger add. A transfer that is over takes no room any more; an object that is noted as
 * removed may still be there.
 */
function sumOf(lines: Buffer): number {
  const added = new Map<string, number>();
  const transfers = new Map<string, number>();
  for (const text of lines.toString('latin1').split('\n')) {
    if (!/^[+t-]/.test(text)) continue;
    const line = parseLine(text);
    if (line?.type === 'stored') added.set(line.hash, onDisk(line.size));
    else if (line?.type === 'transfer') transfers.set(line.hash, onDisk(line.size));
    else if (line?.type === 'removed') transfers.delete(line.hash);
  }
  let sum = 0;
  for (const bytes of [...added.values(), ...transfers.values()]) sum += bytes;
  return sum;
}
