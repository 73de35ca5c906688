// Copies between the tiers of a cache: what only the lower one has is brought up when it is used, what is fetched goes down.
import type { ContentHash } from '../objects/hash.ts';
import type { ObjectRequest } from '../objects/object.ts';
import { copyObject } from './copy-object.ts';
import type { CacheDirectory } from './directory.ts';
import type { Quota } from './quota/quota.ts';

export interface Tiers {
  /** Undefined: nothing can be stored in it. */
  readonly upper: CacheDirectory | undefined;
  readonly lower: CacheDirectory | undefined;
  /** Of the upper one. */
  readonly quota: Quota | undefined;
}

export class TierCopies {
  readonly #tiers: Tiers;
  #closed = false;

  constructor(tiers: Tiers) {
    this.#tiers = tiers;
  }

  close(): void {
    this.#closed = true;
  }

  /** When there is time. `size`: bytes. */
  up(hash: ContentHash, size: number): void {
    const { upper, lower, quota } = this.#tiers;
    this.#copy(hash, size, lower, upper, quota);
  }

  down({ hash, size }: ObjectRequest): void {
    const { upper, lower } = this.#tiers;
    if (lower && !lower.readOnly) this.#copy(hash, size, upper, lower, undefined);
  }

  #copy(
    hash: ContentHash,
    size: number | undefined,
    from: CacheDirectory | undefined,
    to: CacheDirectory | undefined,
    quota: Quota | undefined,
  ): void {
    if (!from || !to || this.#closed) return;
    setImmediate(async () => {
      if (to.has(hash, size)) return;
      const release = quota ? quota.reserve(size ?? 0) : () => {};
      if (!release) return;
      try {
        const request: ObjectRequest = { hash, letter: '', compression: 'none', label: 'copied from the lower cache' };
        await copyObject(from, to, hash, (bytes, sum) => {
          // Nothing is noted any more, and nothing must appear that was not.
          if (this.#closed) throw new Error('shutting down');
          quota?.noteStored(request, bytes, sum);
        });
      } catch {
        if (!to.has(hash)) quota?.removed(hash);
      } finally {
        release();
      }
    });
  }
}
