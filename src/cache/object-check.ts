// Whether an object in a cache can be what its name says. Names are hashes of the compressed object, the cache has it
// uncompressed: it is compressed again, and hashed (client.md §10.1). Another zlib than the publisher's may come to another
// compressed form of the same content, so that a hash that does not fit proves nothing. A checksum that was noted when the
// object was stored does, and takes a fraction of the time.
import { createReadStream, lstatSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createDeflate } from 'node:zlib';
import { type ContentHash, newHash } from '../objects/hash.ts';
import { checksumOfFile } from './checksum.ts';
import { isEmptyObject } from './empty-object.ts';

/**
 * - `good`: the checksum or the hash fits
 * - `damaged`: empty, though what is named is not; or no file; or neither checksum nor hash fits
 * - `unproven`: there is no checksum, and no hash fits
 */
export type ObjectState = 'good' | 'damaged' | 'unproven';

/**
 * Rejects when it cannot be read.
 * @param checksum CRC-32 of the content as it was stored; undefined: not known
 */
export async function checkObject(path: string, hash: ContentHash, checksum?: number): Promise<ObjectState> {
  const stat = lstatSync(path);
  if (!stat.isFile()) return 'damaged';
  if (stat.size === 0) return isEmptyObject(hash) ? 'good' : 'damaged';
  if (checksum !== undefined && checksumOfFile(path) === checksum) return 'good';
  const compressed = newHash(hash.algorithm);
  const plain = newHash(hash.algorithm);
  const source = createReadStream(path);
  source.on('data', (data) => plain.update(data));
  await pipeline(source, createDeflate(), async (output) => {
    for await (const data of output) compressed.update(data);
  });
  const fits = compressed.digest('hex') === hash.hex || plain.digest('hex') === hash.hex;
  if (fits) return 'good';
  return checksum === undefined ? 'unproven' : 'damaged';
}
