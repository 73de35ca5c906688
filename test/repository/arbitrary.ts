// Random values of this layer's types.
import fc from 'fast-check';
import { ContentHash } from '../../src/objects/hash.ts';

/** Never the null hash. */
export const contentHash: fc.Arbitrary<ContentHash> = fc
  .tuple(
    fc.constantFrom('sha1' as const, 'rmd160' as const, 'shake128' as const),
    fc.stringMatching(/^[0-9a-f]{39}[1-9a-f]$/),
  )
  .map(([algorithm, hex]) => new ContentHash(algorithm, hex));
