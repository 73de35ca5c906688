// The `flags` column of a catalog row (client.md §3.4). The file's type is told by the mode, not by these.
import type { HashAlgorithm } from '../objects/hash.ts';
import type { Compression } from '../objects/object.ts';

export const FLAG_DIRECTORY = 0x1;
/** On the row of the parent catalog, with FLAG_DIRECTORY. */
export const FLAG_NESTED_MOUNTPOINT = 0x2;
/** Regular files, symlinks and special files. */
export const FLAG_FILE = 0x4;
/** With FLAG_FILE. */
export const FLAG_SYMLINK = 0x8;
/** Fifo, socket, device; with FLAG_FILE. */
export const FLAG_SPECIAL = 0x10;
/** On the root row of the nested catalog, with FLAG_DIRECTORY. */
export const FLAG_NESTED_ROOT = 0x20;
export const FLAG_CHUNKED = 0x40;
export const FLAG_EXTERNAL = 0x80;
/** Where another root catalog is attached; with FLAG_DIRECTORY. */
export const FLAG_BIND_MOUNTPOINT = 0x4000;
/** Found by name, not listed. */
export const FLAG_HIDDEN = 0x8000;
export const FLAG_DIRECT_IO = 0x10000;

const HASH_SHIFT = 8;
const HASH_MASK = 0x700;
const COMPRESSION_SHIFT = 11;
const COMPRESSION_MASK = 0x3800;

const ALGORITHMS: readonly HashAlgorithm[] = ['sha1', 'rmd160', 'shake128'];
const COMPRESSIONS: readonly Compression[] = ['zlib', 'none'];

/** undefined for a number that stands for nothing. */
export function hashAlgorithmOf(flags: number): HashAlgorithm | undefined {
  return ALGORITHMS[(flags & HASH_MASK) >> HASH_SHIFT];
}

/** undefined for a number that stands for nothing. */
export function compressionOf(flags: number): Compression | undefined {
  return COMPRESSIONS[(flags & COMPRESSION_MASK) >> COMPRESSION_SHIFT];
}

/** Hash and compression bits of a regular file. */
export function contentFlags(algorithm: HashAlgorithm, compression: Compression): number {
  return (ALGORITHMS.indexOf(algorithm) << HASH_SHIFT) | (COMPRESSIONS.indexOf(compression) << COMPRESSION_SHIFT);
}
