// INIT: what this side and the kernel agree on for the life of a mount.
//   fuse_init_in:  major, minor, max_readahead, flags u32 (16 bytes, all that kernels before 5.17 send); flags2 u32; unused
//   fuse_init_out: major, minor, max_readahead, flags u32; max_background, congestion_threshold u16; max_write, time_gran u32;
//                  max_pages, map_alignment u16; flags2, max_stack_depth u32; unused; 64 bytes in all

import { EPROTO } from './errno.ts';
import { Errno } from './operations.ts';
import { REPLY_BODY, type Reply } from './reply.ts';
import { BODY, type Request } from './request.ts';

export const InitFlag = {
  ASYNC_READ: 1 << 0,
  DO_READDIRPLUS: 1 << 13,
  ASYNC_DIO: 1 << 15,
  NO_OPEN_SUPPORT: 1 << 17,
  PARALLEL_DIROPS: 1 << 18,
  MAX_PAGES: 1 << 22,
  CACHE_SYMLINKS: 1 << 23,
  NO_OPENDIR_SUPPORT: 1 << 24,
  EXPLICIT_INVAL_DATA: 1 << 25,
  INIT_EXT: 1 << 30,
} as const;

/** Bits of flags2. */
const HAS_EXPIRE_ONLY = 1 << 3;
const HAS_RESEND = 1 << 7;

/**
 * Not among them, on purpose: ATOMIC_O_TRUNC (an open with O_TRUNC would succeed on a mount that is not read-only), POSIX_ACL (one more
 * request per file), READDIRPLUS_AUTO (in large directories `find -ls` would look up each name after all), AUTO_INVAL_DATA (drops pages by
 * mtime; invalidation is explicit here), POSIX_LOCKS and FLOCK_LOCKS (local locks do).
 */
const WANTED =
  InitFlag.ASYNC_READ |
  InitFlag.DO_READDIRPLUS |
  InitFlag.ASYNC_DIO |
  InitFlag.NO_OPEN_SUPPORT |
  InitFlag.PARALLEL_DIROPS |
  InitFlag.MAX_PAGES |
  InitFlag.CACHE_SYMLINKS |
  InitFlag.NO_OPENDIR_SUPPORT |
  InitFlag.EXPLICIT_INVAL_DATA |
  InitFlag.INIT_EXT;
const WANTED2 = HAS_EXPIRE_ONLY | HAS_RESEND;

export const MAJOR = 7;
const MINOR = 45;
/** Before 7.23 fuse_init_out had another size. No kernel that lets users mount (7.27 on) is that old. */
const OLDEST_MINOR = 23;
/** Requests that may wait in the background (readahead above all); the kernel lowers it to its own limit. */
const MAX_BACKGROUND = 64;
const CONGESTION_THRESHOLD = 48;
/** Nothing is ever written: the smallest that the kernel takes. */
const MAX_WRITE = 4096;
/** 1 MiB with pages of 4 KiB. */
const MAX_PAGES = 256;
const INIT_OUT_BYTES = 64;

/** The outcome of INIT. Plain data: a server that adopts the descriptor of a dead one needs it, since INIT comes only once. */
export interface Negotiated {
  readonly minor: number;
  readonly flags: number;
  readonly flags2: number;
  readonly maxReadahead: number;
  readonly maxPages: number;
}

/**
 * Answers INIT into `reply`; returns the body's length, and the agreement, which is missing if the kernel speaks a newer major version
 * and has to come again with ours. Throws EPROTO for a kernel that is too old.
 */
export function negotiate(request: Request, reply: Reply): { length: number; negotiated?: Negotiated } {
  if (!request.has(8)) throw new Errno(EPROTO);
  const input = request.words;
  const major = input[BODY];
  const { words } = reply;
  words.fill(0, REPLY_BODY, REPLY_BODY + INIT_OUT_BYTES / 4);
  words[REPLY_BODY] = MAJOR;
  words[REPLY_BODY + 1] = MINOR;
  if (major > MAJOR) return { length: INIT_OUT_BYTES };
  if (major < MAJOR || input[BODY + 1] < OLDEST_MINOR || !request.has(16)) throw new Errno(EPROTO);

  const minor = Math.min(input[BODY + 1], MINOR);
  const maxReadahead = input[BODY + 2];
  const flags = input[BODY + 3] & WANTED;
  const flags2 = flags & InitFlag.INIT_EXT && request.has(20) ? input[BODY + 4] & WANTED2 : 0;
  const maxPages = flags & InitFlag.MAX_PAGES ? MAX_PAGES : 0;
  words[REPLY_BODY + 1] = minor;
  words[REPLY_BODY + 2] = maxReadahead;
  words[REPLY_BODY + 3] = flags;
  words[REPLY_BODY + 4] = MAX_BACKGROUND | (CONGESTION_THRESHOLD << 16);
  words[REPLY_BODY + 5] = MAX_WRITE;
  words[REPLY_BODY + 6] = 1;
  words[REPLY_BODY + 7] = maxPages;
  words[REPLY_BODY + 8] = flags2;
  return { length: INIT_OUT_BYTES, negotiated: { minor, flags, flags2, maxReadahead, maxPages } };
}

/** A request buffer must take a write of this size, and is better larger: requests that do not fit fail with EIO instead of EROFS. */
export const LARGEST_REQUEST_BYTES = 80 * 1024;
