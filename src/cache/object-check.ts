// Whether an object in a cache can be what its name says. Names are hashes of the compressed object, the cache has it
// uncompressed: it is compressed again, and hashed (client.md §10.1). Another zlib than the publisher's may come to another
// compressed form of the same content, so that a hash that does not fit proves nothing.
import { createReadStream, lstatSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createDeflate } from 'node:zlib';
import { type ContentHash, newHash } from '../objects/hash.ts';
import { isEmptyObject } from './empty-object.ts';

/**
 * - `good`: the hash fits
 * - `damaged`: empty, though what is named is not; or no file
 * - `unproven`: no hash of it fits
 */
export type ObjectState = 'good' | 'damaged' | 'unproven';

/** Rejects when it cannot be read. */
export async function checkObject(path: string, hash: ContentHash): Promise<ObjectState> {
  const stat = lstatSync(path);
  if (!stat.isFile()) return 'damaged';
  if (stat.size === 0) return isEmptyObject(hash) ? 'good' : 'damaged';
  const compressed = newHash(hash.algorithm);
  const plain = newHash(hash.algorithm);
  const source = createReadStream(path);
  source.on('data', (data) => plain.update(data));
  await pipeline(source, createDeflate(), async (output) => {
    for await (const data of output) compressed.update(data);
  });
  const fits = compressed.digest('hex') === hash.hex || plain.digest('hex') === hash.hex;
  return fits ? 'good' : 'unproven';
}
