// OPEN, READ, OPENDIR, READDIR and READDIRPLUS, and the end of what was opened. There are no file handles: all are 0.
//   fuse_open_in: flags, open_flags u32          fuse_open_out: fh u64, open_flags, backing_id u32
//   fuse_read_in: fh, offset u64, size, read_flags u32, lock_owner u64, flags, padding u32

import type { Context, Handler } from './context.ts';
import { EINVAL, ENOSYS, EROFS } from './errno.ts';
import type { OpenFlags } from './operations.ts';
import { REPLY_BODY, type Reply } from './reply.ts';
import { BODY, type Request } from './request.ts';

const O_ACCMODE = 0o3;
const O_TRUNC = 0o1000;

const FOPEN_DIRECT_IO = 1 << 0;
const FOPEN_KEEP_CACHE = 1 << 1;
const FOPEN_CACHE_DIR = 1 << 3;

const OPEN_IN_BYTES = 8;
const OPEN_OUT_BYTES = 16;
const READ_IN_BYTES = 40;

/** What the kernel assumes where opening is left to it: content does not change unless it is told. */
const KEEP: OpenFlags = { keepCache: true };

function writeOpenOut(reply: Reply, flags: number): number {
  const { words } = reply;
  words[REPLY_BODY] = 0;
  words[REPLY_BODY + 1] = 0;
  words[REPLY_BODY + 2] = flags;
  words[REPLY_BODY + 3] = 0;
  return OPEN_OUT_BYTES;
}

export function open(context: Context, request: Request, reply: Reply): number {
  if (context.leaveOpen) return -ENOSYS;
  if (!request.has(OPEN_IN_BYTES)) return -EINVAL;
  const flags = request.words[BODY];
  if ((flags & O_ACCMODE) !== 0 || (flags & O_TRUNC) !== 0) return -EROFS;
  const opened = context.askOpen ? context.operations.open(request.node, flags, context.caller) : KEEP;
  return writeOpenOut(reply, (opened.directIo ? FOPEN_DIRECT_IO : 0) | (opened.keepCache ? FOPEN_KEEP_CACHE : 0));
}

export function opendir(context: Context, request: Request, reply: Reply): number {
  if (context.leaveOpendir) return -ENOSYS;
  const opened = context.askOpen ? context.operations.opendir(request.node, context.caller) : KEEP;
  return writeOpenOut(reply, opened.keepCache ? FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR : 0);
}

export function read(context: Context, request: Request, reply: Reply): number {
  if (!request.has(READ_IN_BYTES)) return -EINVAL;
  const size = request.words[BODY + 4];
  const length = context.operations.read(request.node, request.u64(BODY + 2), reply.target(size), context.caller);
  if (!(length >= 0 && length <= size)) throw new RangeError(`read returned ${length} for ${size} bytes`);
  return length;
}

function list(context: Context, request: Request, reply: Reply, plus: boolean): number {
  if (!request.has(READ_IN_BYTES)) return -EINVAL;
  const { directory } = context;
  reply.reserve(request.words[BODY + 4]);
  directory.begin(request.words[BODY + 4], plus);
  context.operations.readdir(request.node, request.u64(BODY + 2), directory, context.caller);
  return directory.length;
}

export const readdir: Handler = (context, request, reply) => list(context, request, reply, false);
export const readdirplus: Handler = (context, request, reply) => list(context, request, reply, true);
