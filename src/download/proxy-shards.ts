// Consistent hashing of objects onto proxies (client.md §7.13): each proxy caches its share, and when one fails only its
// share moves.
import { createHash } from 'node:crypto';
import type { ProxyChoice } from './proxy-list.ts';

const POINTS = 16;
const MAX_KEY = 0xffffffff;
const MULTIPLIER = 6364136223846793005n;
const INCREMENT = 1442695040888963407n;

export class ProxyShards {
  readonly #keys: number[];
  readonly #proxies: ProxyChoice[];

  /** `proxies` must not be empty. */
  constructor(proxies: readonly ProxyChoice[]) {
    const points = new Map<number, ProxyChoice>();
    for (const proxy of proxies) for (const key of shardKeys(proxy.name)) points.set(key, proxy);
    const sorted = [...points].sort(([a], [b]) => a - b);
    // The circle is closed: what is above the last point belongs to the first.
    if (!points.has(MAX_KEY)) sorted.push([MAX_KEY, sorted[0][1]]);
    this.#keys = sorted.map(([key]) => key);
    this.#proxies = sorted.map(([, proxy]) => proxy);
  }

  /** `key`: the first 32 bits of the object's hash. */
  choose(key: number): ProxyChoice {
    let [low, high] = [0, this.#keys.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys[middle] >= key) high = middle;
      else low = middle + 1;
    }
    return this.#proxies[low];
  }
}

/** The points of a proxy by its URL. */
export function shardKeys(url: string): number[] {
  let state = BigInt(createHash('sha1').update(url).digest().readUInt32BE(0));
  return Array.from({ length: POINTS }, () => {
    state = BigInt.asUintN(64, state * MULTIPLIER + INCREMENT);
    return Math.floor((Number(state) * MAX_KEY) / 2 ** 64) % MAX_KEY;
  });
}
