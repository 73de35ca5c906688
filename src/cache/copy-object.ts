// An object of one cache directory stored in another one as well, a block at a time.
import type { ContentHash } from '../objects/hash.ts';
import { checksum } from './checksum.ts';
import type { CacheDirectory } from './directory.ts';
import type { Complete } from './disk-transfer.ts';

const BLOCK_BYTES = 256 * 1024;

/** `complete` is called just before it appears. Rejects with CacheError NOT_STORED; nothing is left of it then. */
export async function copyObject(
  from: CacheDirectory,
  to: CacheDirectory,
  hash: ContentHash,
  complete: Complete,
): Promise<void> {
  const object = from.open(hash);
  if (!object) return;
  try {
    const file = to.create();
    try {
      const block = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, Math.max(1, object.size)));
      let sum = 0;
      let at = 0;
      while (at < object.size) {
        const count = object.read(block, 0, Math.min(block.length, object.size - at), at);
        if (count === 0) throw new Error('the object was cut off meanwhile');
        const bytes = block.subarray(0, count);
        file.write(bytes);
        sum = checksum(bytes, sum);
        at += count;
        if (at < object.size) await new Promise((resolve) => setImmediate(resolve));
      }
      complete(at, sum);
      to.commit(file, hash);
    } catch (error) {
      file.discard();
      throw error;
    }
  } finally {
    object.close();
  }
}
