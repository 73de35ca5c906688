// What is known of an object before it arrives, and the bounds that follow for data that may be hostile.
import { newHash } from '../objects/hash.ts';
import type { ObjectRequest } from '../objects/object.ts';
import { CorruptTransfer } from '../objects/transfer.ts';

/** Largest object of unknown size (catalogs, history), in bytes: both as transferred and uncompressed. */
export const MAX_UNKNOWN_SIZE = 2 ** 30;

/** Most bytes that may be transferred for it. */
export function transferLimit(request: ObjectRequest): number {
  if (request.size === undefined) return MAX_UNKNOWN_SIZE;
  // Incompressible data grows by less than an eighth at every level of zlib.
  return request.compression === 'none' ? request.size : request.size + Math.ceil(request.size / 8) + 4096;
}

/** Most bytes that may come out of it. */
export function sizeLimit(request: ObjectRequest): number {
  return request.size ?? MAX_UNKNOWN_SIZE;
}

/** Compares the hash of what was transferred. */
export function verifyHash(request: ObjectRequest, bytes: Uint8Array): void {
  const { algorithm, hex } = request.hash;
  // One call is quicker, but gives SHAKE128 the wrong length.
  const actual =
    algorithm === 'shake128'
      ? newHash(algorithm).update(bytes).digest('hex')
      : process.getBuiltinModule('node:crypto').hash(algorithm === 'rmd160' ? 'ripemd160' : 'sha1', bytes, 'hex');
  if (actual !== hex) throw wrongHash(request);
}

export function wrongHash(request: ObjectRequest): CorruptTransfer {
  return new CorruptTransfer(`what arrived for ${request.hash} has another hash`);
}

export function wrongSize(request: ObjectRequest, actual: string): CorruptTransfer {
  return new CorruptTransfer(
    `${request.hash} has ${actual} bytes where ${request.size ?? `at most ${MAX_UNKNOWN_SIZE}`} are expected`,
  );
}

export function damaged(request: ObjectRequest, error: unknown): CorruptTransfer {
  return new CorruptTransfer(`${request.hash} cannot be uncompressed: ${(error as Error).message}`, { cause: error });
}
