// Content hashes and their text form (client.md §2.1, §2.2): lower-case hex digits, then "-rmd160" or "-shake128"
// where the algorithm is not SHA-1. The algorithm of a text is told by its length alone.
import { createHash, type Hash } from 'node:crypto';

export type HashAlgorithm = 'sha1' | 'rmd160' | 'shake128';

/** Digest length of every content hash, in bytes. */
export const DIGEST_BYTES = 20;

const SUFFIX: Readonly<Record<HashAlgorithm, string>> = { sha1: '', rmd160: '-rmd160', shake128: '-shake128' };
const PATTERN = /^[0-9a-f]{40}(-rmd160|-shake128)?$/;

/** A hash of an object's stored bytes. Immutable; two are equal when their texts are. */
export class ContentHash {
  readonly algorithm: HashAlgorithm;
  /** 40 lower-case hex digits. */
  readonly hex: string;

  constructor(algorithm: HashAlgorithm, hex: string) {
    this.algorithm = algorithm;
    this.hex = hex;
  }

  /** Parses a hash string without type letter; undefined unless it is exactly one. */
  static parse(text: string): ContentHash | undefined {
    const match = PATTERN.exec(text);
    if (!match) return undefined;
    const algorithm = match[1] === undefined ? 'sha1' : (match[1].slice(1) as HashAlgorithm);
    return new ContentHash(algorithm, text.slice(0, 40));
  }

  /** Takes the 20 raw bytes of a catalog column. */
  static fromDigest(algorithm: HashAlgorithm, digest: Uint8Array): ContentHash {
    const bytes = Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength);
    return new ContentHash(algorithm, bytes.toString('hex'));
  }

  static of(algorithm: HashAlgorithm, data: Uint8Array): ContentHash {
    return new ContentHash(algorithm, newHash(algorithm).update(data).digest('hex'));
  }

  /** All digest bytes are zero: stands for "none" in manifests and catalogs. */
  get isNull(): boolean {
    return /^0+$/.test(this.hex);
  }

  /** The first 32 bits, big endian. */
  get prefix(): number {
    return Number.parseInt(this.hex.slice(0, 8), 16);
  }

  get digest(): Buffer {
    return Buffer.from(this.hex, 'hex');
  }

  /** Name used in URLs and in the cache, after the two leading digits: the other 38 and the algorithm. */
  get tail(): string {
    return this.hex.slice(2) + SUFFIX[this.algorithm];
  }

  equals(other: ContentHash | undefined): boolean {
    return other !== undefined && other.hex === this.hex && other.algorithm === this.algorithm;
  }

  toString(): string {
    return this.hex + SUFFIX[this.algorithm];
  }
}

/** A running hash that gives the 20-byte digest of `algorithm`. */
export function newHash(algorithm: HashAlgorithm): Hash {
  if (algorithm === 'shake128') return createHash('shake128', { outputLength: DIGEST_BYTES });
  return createHash(algorithm === 'rmd160' ? 'ripemd160' : 'sha1');
}
