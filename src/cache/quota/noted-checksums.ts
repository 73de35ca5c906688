// The checksums that a ledger holds, for the rare file that has to be compared with its own.
import { readFileSync, statSync } from 'node:fs';
import type { ContentHash } from '../../objects/hash.ts';
import { parseLine } from './ledger-line.ts';

export class NotedChecksums {
  readonly #ledger: string;
  #known: Map<string, number> | undefined;
  #readSize = 0;

  /** `ledger`: path, which need not exist. */
  constructor(ledger: string) {
    this.#ledger = ledger;
  }

  /** CRC-32 of the content; undefined: none was noted. The ledger is read when the first one is asked for. */
  readonly of = (hash: ContentHash): number | undefined => {
    const known = this.#known?.get(hash.toString());
    if (known !== undefined) return known;
    this.#read();
    return this.#known?.get(hash.toString());
  };

  #read(): void {
    const size = statSync(this.#ledger, { throwIfNoEntry: false })?.size ?? 0;
    // Not again for every file that somebody else stored.
    if (this.#known && size < this.#readSize * 1.1 + 65_536 && size >= this.#readSize) return;
    this.#readSize = size;
    this.#known = new Map();
    if (size === 0) return;
    for (const text of readFileSync(this.#ledger, 'latin1').split('\n')) {
      const line = text.startsWith('+') ? parseLine(text) : undefined;
      if (line?.type === 'stored' && line.checksum !== undefined) this.#known.set(line.hash, line.checksum);
    }
  }
}
