// Hashing in this layer, with an error that people understand where this Node's OpenSSL lacks the algorithm.
import { ContentHash, type HashAlgorithm } from '../objects/hash.ts';
import { RepositoryError } from './errors.ts';

/** @throws RepositoryError NoAlgorithm, on hosts in FIPS mode for example */
export function digestOf(algorithm: HashAlgorithm, data: Uint8Array): ContentHash {
  try {
    return ContentHash.of(algorithm, data);
  } catch (cause) {
    const message = `cannot compute ${NAMES[algorithm]}: OpenSSL of this Node or host refuses it (FIPS mode?); use a Node without that limit`;
    throw new RepositoryError('NoAlgorithm', message, { cause });
  }
}

const NAMES: Readonly<Record<HashAlgorithm, string>> = { sha1: 'SHA-1', rmd160: 'RIPEMD-160', shake128: 'SHAKE128' };
