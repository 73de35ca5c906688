// An object store in memory: what is "remote" becomes local when it is fetched.
import { ContentHash } from '../../src/objects/hash.ts';
import type { LocalObject, ObjectRequest, ObjectStore } from '../../src/objects/object.ts';

export class MemoryStore implements ObjectStore {
  /** Labels, in order. */
  readonly fetched: string[] = [];
  readonly prefetched: string[] = [];
  /** Objects that were opened and not closed. */
  opened = 0;
  /** Of what is opened. */
  inMemory = false;
  readonly #remote = new Map<string, Buffer>();
  readonly #local = new Map<string, Buffer>();

  /** Makes an object of this content; it has to be fetched. */
  add(content: Uint8Array): ContentHash {
    const hash = ContentHash.of('sha1', content);
    this.#remote.set(hash.hex, Buffer.from(content));
    return hash;
  }

  /** As a cache that was cleaned up. */
  forgetLocal(): void {
    this.#local.clear();
  }

  /** Another content under the same hash, as if the local file had been changed. */
  replaceLocal(hash: ContentHash, content: Uint8Array): void {
    this.#local.set(hash.hex, Buffer.from(content));
  }

  open(hash: ContentHash, size?: number): LocalObject | undefined {
    const content = this.#local.get(hash.hex);
    if (!content || (size !== undefined && content.length !== size)) return undefined;
    this.opened++;
    return {
      size: content.length,
      inMemory: this.inMemory,
      // What is local at the time of reading, as with a file that is cut off.
      read: (target, offset, length, position) =>
        (this.#local.get(hash.hex) as Buffer).copy(target, offset, position, position + length),
      close: () => {
        this.opened--;
      },
    };
  }

  async fetch({ hash, label }: ObjectRequest): Promise<void> {
    this.fetched.push(label);
    const content = this.#remote.get(hash.hex);
    if (!content) throw new Error(`cannot download ${label}: 404`);
    this.#local.set(hash.hex, content);
  }

  prefetch({ label }: ObjectRequest): void {
    this.prefetched.push(label);
  }
}
