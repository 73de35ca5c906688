// user.lhash: the hash of a file's content as it lies in the cache, which is not compressed there.
import { setImmediate as turn } from 'node:timers/promises';
import { Pending } from '../../fuse/operations.ts';
import { type ContentHash, newHash } from '../../objects/hash.ts';
import type { LocalObject, ObjectStore } from '../../objects/object.ts';

const SLICE = 1 << 20;
const REMEMBERED = 64;

export class CachedContent {
  readonly #store: ObjectStore;
  /** Content under a hash does not change while it is read a moment later. */
  readonly #known = new Map<string, string>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Throws Pending while a local file is being read; other requests are answered meanwhile. */
  hashOf(hash: ContentHash, size: number): string {
    const key = hash.toString();
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#known.delete(key);
      return known;
    }
    const object = this.#store.open(hash, size);
    if (!object) return 'Not in cache';
    throw new Pending(this.#read(key, hash, object));
  }

  async #read(key: string, { algorithm }: ContentHash, object: LocalObject): Promise<void> {
    const digest = newHash(algorithm);
    const slice = Buffer.alloc(Math.min(SLICE, object.size));
    let result: string;
    try {
      for (let at = 0; at < object.size; ) {
        const count = object.read(slice, 0, slice.length, at);
        if (count === 0) break;
        digest.update(slice.subarray(0, count));
        at += count;
        await turn();
      }
      result = digest.digest('hex') + key.slice(40);
    } catch (error) {
      result = `I/O error (${(error as NodeJS.ErrnoException).code ?? error})`;
    } finally {
      object.close();
    }
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(key, result);
  }
}
