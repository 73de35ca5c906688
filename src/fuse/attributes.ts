// struct fuse_attr (88 bytes), and fuse_attr_out (104) and fuse_entry_out (128), which contain it.

import type { Attributes, Entry } from './operations.ts';
import type { Reply } from './reply.ts';

export const ENTRY_BYTES = 128;
export const ATTRIBUTES_BYTES = 104;

const TWO_32 = 0x1_0000_0000;
/** st_blksize. */
const BLOCK_SIZE = 4096;

/** A time-out as the kernel wants it: whole seconds and nanoseconds. */
export interface Timeout {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** `seconds` may have a fraction; negative and NaN count as 0. */
export function timeout(seconds: number): Timeout {
  const bounded = Math.min(Math.max(seconds || 0, 0), Number.MAX_SAFE_INTEGER);
  const whole = Math.floor(bounded);
  return { seconds: whole, nanoseconds: Math.floor((bounded - whole) * 1e9) };
}

const AT_ONCE: Timeout = { seconds: 0, nanoseconds: 0 };

/** fuse_attr: ino, size, blocks, atime, mtime, ctime u64; their nanoseconds u32 x 3; mode, nlink, uid, gid, rdev, blksize, flags u32. */
function writeAttributes(words: Uint32Array, at: number, a: Attributes): void {
  // Storing into a Uint32Array takes a number modulo 2^32, also a negative one: the low half of a u64 or i64.
  const seconds = a.mtime;
  const secondsHigh = Math.floor(seconds / TWO_32);
  words[at] = a.ino;
  words[at + 1] = a.ino / TWO_32;
  words[at + 2] = a.size;
  words[at + 3] = a.size / TWO_32;
  words[at + 4] = a.blocks;
  words[at + 5] = a.blocks / TWO_32;
  words[at + 6] = seconds;
  words[at + 7] = secondsHigh;
  words[at + 8] = seconds;
  words[at + 9] = secondsHigh;
  words[at + 10] = seconds;
  words[at + 11] = secondsHigh;
  words[at + 12] = a.mtimeNs;
  words[at + 13] = a.mtimeNs;
  words[at + 14] = a.mtimeNs;
  words[at + 15] = a.mode;
  words[at + 16] = a.nlink;
  words[at + 17] = a.uid;
  words[at + 18] = a.gid;
  words[at + 19] = a.rdev;
  words[at + 20] = BLOCK_SIZE;
  words[at + 21] = 0;
}

/** fuse_attr_out: attr_valid u64, attr_valid_nsec u32, dummy u32, attr. Returns the body's length. */
export function writeAttributesOut(reply: Reply, at: number, attributes: Attributes, timeout: Timeout): number {
  const { words } = reply;
  const valid = attributes.volatile ? AT_ONCE : timeout;
  reply.setU64(at, valid.seconds);
  words[at + 2] = valid.nanoseconds;
  words[at + 3] = 0;
  writeAttributes(words, at + 4, attributes);
  return ATTRIBUTES_BYTES;
}

/**
 * fuse_entry_out: nodeid, generation, entry_valid, attr_valid u64, entry_valid_nsec, attr_valid_nsec u32, attr.
 * `node` 0 says that the name does not exist (or, in a directory list, that the kernel shall not keep the entry).
 */
export function writeEntry(
  reply: Reply,
  at: number,
  node: number,
  attributes: Entry['attributes'] | undefined,
  entryValid: Timeout,
  attributesTimeout: Timeout,
): number {
  const { words } = reply;
  const attributesValid = attributes?.volatile ? AT_ONCE : attributesTimeout;
  reply.setU64(at, node);
  words[at + 2] = 0;
  words[at + 3] = 0;
  reply.setU64(at + 4, entryValid.seconds);
  reply.setU64(at + 6, attributesValid.seconds);
  words[at + 8] = entryValid.nanoseconds;
  words[at + 9] = attributesValid.nanoseconds;
  if (attributes === undefined) words.fill(0, at + 10, at + 32);
  else writeAttributes(words, at + 10, attributes);
  return ENTRY_BYTES;
}
