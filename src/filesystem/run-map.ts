// A one-to-one map of integers in which neighbours mostly have neighbours as values, kept as runs: row to node, row to
// inode number. What a publisher does to a catalog shifts rows in a few places, so a few runs say it all.

export class RunMap {
  readonly #keys: Float64Array;
  readonly #values: Float64Array;
  readonly #counts: Float64Array;

  /** Runs of `count` keys from `key` on whose values go from `value` on, as triples, ascending by key, without overlap. */
  constructor(triples: readonly number[]) {
    const runs = triples.length / 3;
    this.#keys = new Float64Array(runs);
    this.#values = new Float64Array(runs);
    this.#counts = new Float64Array(runs);
    for (let run = 0; run < runs; run++) {
      this.#keys[run] = triples[run * 3];
      this.#values[run] = triples[run * 3 + 1];
      this.#counts[run] = triples[run * 3 + 2];
    }
  }

  get runs(): number {
    return this.#keys.length;
  }

  /** -1 for a key that has no value; keys and values are not negative. */
  get(key: number): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle] <= key) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return -1;
    const offset = key - this.#keys[low - 1];
    return offset < this.#counts[low - 1] ? this.#values[low - 1] + offset : -1;
  }

  /** From values to keys. */
  inverse(): RunMap {
    const order = Array.from(this.#values.keys()).sort((a, b) => this.#values[a] - this.#values[b]);
    return new RunMap(order.flatMap((run) => [this.#values[run], this.#keys[run], this.#counts[run]]));
  }

  /** What the constructor takes. */
  triples(): number[] {
    return Array.from(this.#keys).flatMap((key, run) => [key, this.#values[run], this.#counts[run]]);
  }
}

/** Collects pairs in ascending order of their keys. */
export class RunMapBuilder {
  readonly #triples: number[] = [];

  add(key: number, value: number, count = 1): void {
    const triples = this.#triples;
    const at = triples.length - 3;
    if (at >= 0 && key === triples[at] + triples[at + 2] && value === triples[at + 1] + triples[at + 2]) {
      triples[at + 2] += count;
    } else {
      triples.push(key, value, count);
    }
  }

  build(): RunMap {
    return new RunMap(this.#triples);
  }
}
