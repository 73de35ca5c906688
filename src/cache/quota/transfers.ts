// Room for transfers under way, beside what others transfer, be it the same object. It is noted again now and then: should
// the process be killed, the keeper forgets its transfers, and should it be stopped and go on, it counts them again.
import { randomBytes } from 'node:crypto';
import { encodeLine } from './ledger-line.ts';

/** A transfer is noted this often; the keeper waits longer (SILENT_MS). */
const NOTE_EVERY_MS = 10_000;
/** One that was not noted for so long, or twice that, is over. Milliseconds. */
export const SILENT_MS = 30_000;

export class Transfers {
  readonly #note: (lines: string) => void;
  readonly #sizes = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** `note` appends to the ledger. */
  constructor(note: (lines: string) => void) {
    this.#note = note;
  }

  /** Notes one of `size` bytes. Gives its number. */
  begin(size: number): string {
    const hash = randomBytes(20).toString('hex');
    this.#sizes.set(hash, size);
    this.#timer ??= setInterval(() => this.#noteAll(), NOTE_EVERY_MS).unref();
    this.#note(encodeLine({ type: 'transfer', hash, size }));
    return hash;
  }

  /** Notes that it is over, after `lines` that say what came of it. */
  end(hash: string, lines = ''): void {
    this.#sizes.delete(hash);
    if (this.#sizes.size === 0) this.close();
    this.#note(lines + encodeLine({ type: 'removed', hash }));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #noteAll(): void {
    this.#note([...this.#sizes].map(([hash, size]) => encodeLine({ type: 'transfer', hash, size })).join(''));
  }
}
