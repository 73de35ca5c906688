// What this layer asks of the network and the cache.
import type { LocalObject, ObjectRequest, ObjectStore } from '../objects/object.ts';

/** The servers of one repository. Every promise settles within a bounded time. */
export interface RepositorySource {
  /**
   * A file that is not content-addressed, by its path below the repository's URL with a leading slash.
   * Rejects with a reason of one line, also when it is longer than `limit` bytes.
   */
  file(path: string, limit: number): Promise<Buffer>;
  /** Turns to the next server; false when there is none. Called after a server delivered something that does not verify. */
  switchServer?(): boolean;
}

/** Somebody may wipe the cache between the arrival of an object and its opening. */
const MAX_FETCHES = 3;

/** What objects are read through: those in the cache, else the servers'. */
export type ObjectReader = Pick<ObjectStore, 'open' | 'fetch'>;

/** The object, made local first if need be. The caller closes it. `forLong`: see ObjectStore. */
export async function openObject(store: ObjectReader, request: ObjectRequest, forLong = false): Promise<LocalObject> {
  for (let fetches = 0; ; fetches++) {
    const local = store.open(request.hash, request.size, forLong);
    if (local) return local;
    if (fetches === MAX_FETCHES) throw new Error(`${request.label} was fetched, but cannot be opened`);
    await store.fetch(request);
  }
}

/** The whole content of a small object. */
export async function readObject(store: ObjectReader, request: ObjectRequest, limit: number): Promise<Buffer> {
  const object = await openObject(store, request);
  try {
    if (object.size > limit) throw new Error(`${request.label} has ${object.size} bytes, more than ${limit}`);
    const content = Buffer.alloc(object.size);
    for (let at = 0; at < content.length; ) {
      const count = object.read(content, at, content.length - at, at);
      if (count === 0) throw new Error(`${request.label} is shorter than its size`);
      at += count;
    }
    return content;
  } finally {
    object.close();
  }
}
