// user.repo_metainfo: what the owner of a repository says about it, an object that the manifest names (client.md §1.9).
import { Pending } from '../../fuse/operations.ts';
import type { ObjectStore } from '../../objects/object.ts';
import { readObject } from '../../repository/source.ts';
import type { MountFacts } from '../mount-facts.ts';

/** Bytes; more does not fit into an attribute. */
const LIMIT = 64 * 1024;
/** A newer one, or one that could not be had, is looked for after this long. */
const KEPT_MS = 60_000;

export class Metainfo {
  readonly #store: ObjectStore;
  #text = '';
  #until = 0;
  #loading: Promise<void> | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** JSON, or why there is none. Throws Pending while it is fetched. */
  text(facts: MountFacts): string {
    if (performance.now() < this.#until) return this.#text;
    this.#loading ??= this.#load(facts).finally(() => {
      this.#loading = undefined;
      this.#until = performance.now() + KEPT_MS;
    });
    throw new Pending(this.#loading);
  }

  async #load(facts: MountFacts): Promise<void> {
    try {
      const { metainfo: hash } = await facts.manifest();
      if (!hash) {
        this.#text = 'metainfo not available';
        return;
      }
      try {
        const request = { hash, letter: 'M', compression: 'zlib', label: 'repository metainfo' } as const;
        this.#text = (await readObject(this.#store, request, LIMIT)).toString('latin1');
      } catch (error) {
        const tooBig = (error as Error).message.includes('more than');
        this.#text = tooBig ? 'Failed to open: metadata file is too big' : 'Failed to open metadata file';
      }
    } catch {
      this.#text = 'manifest not available';
    }
  }
}
