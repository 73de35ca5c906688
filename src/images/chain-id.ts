// Names of directories below .chains of a hub: file trees of the lowest layers of an image, one upon another. They are hashes
// of text over the digests of the compressed layers, and not the chain ids of the OCI image specification.
import { createHash } from 'node:crypto';

/** `digests`: `sha256:<hex>` of the layers, lowest first, at least one. Returns the hex digits of the chain of all. */
export function chainId(digests: readonly string[]): string {
  let chain = '';
  for (const digest of digests) {
    const text = chain ? `sha256:${chain} ${digest}` : digest;
    chain = createHash('sha256').update(text).digest('hex');
  }
  return chain;
}
