// A soak: something that runs for as long as one has time, with chance in it, and in the end says whether all was right.

export interface SoakOptions {
  readonly seconds: number;
  /** The same seed makes the same choices. */
  readonly seed: number;
  /** Gets lines about what is done. */
  readonly say: (line: string) => void;
}

export interface Soak {
  /** One line. */
  readonly summary: string;
  /** Of the long form. */
  readonly seconds: number;
  /**
   * Resolves to a line with figures.
   * @throws Error what was not right
   */
  readonly run: (options: SoakOptions) => Promise<string>;
}

/** Whole numbers, by a seed. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}
