// Objects that were come upon already, in bounded memory: the same content under many names is looked at once.
import type { ContentHash } from '../objects/hash.ts';

/** When it is full it begins anew: some objects are then looked at, and counted, twice. */
const LIMIT = 1_000_000;

export class SeenObjects {
  readonly #hashes = new Set<string>();

  /** False the first time. */
  seen({ hex }: ContentHash): boolean {
    if (this.#hashes.has(hex)) return true;
    if (this.#hashes.size >= LIMIT) this.#hashes.clear();
    this.#hashes.add(hex);
    return false;
  }
}
