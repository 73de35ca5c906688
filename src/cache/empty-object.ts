// An empty file in a cache is what a crash leaves behind, unless the object is empty by its very hash.
import { ContentHash, type HashAlgorithm } from '../objects/hash.ts';

/** Zlib streams of nothing, as the levels of zlib write them (client.md §2.6), and nothing itself. */
const FORMS = ['789c030000000001', '7801030000000001', '785e030000000001', '78da030000000001', ''];

const known = new Map<HashAlgorithm, ReadonlySet<string>>();

/** True for the hash of an empty object, compressed or not. */
export function isEmptyObject(hash: ContentHash): boolean {
  let digests = known.get(hash.algorithm);
  if (!digests) {
    digests = new Set(FORMS.map((form) => ContentHash.of(hash.algorithm, Buffer.from(form, 'hex')).hex));
    known.set(hash.algorithm, digests);
  }
  return digests.has(hash.hex);
}
