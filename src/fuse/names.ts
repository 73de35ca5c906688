// LOOKUP, GETATTR, READLINK, STATFS.

import { writeAttributesOut, writeEntry } from './attributes.ts';
import type { Context } from './context.ts';
import { EINVAL, ENAMETOOLONG } from './errno.ts';
import { REPLY_BODY, type Reply } from './reply.ts';
import type { Request } from './request.ts';

/** The kernel's buffer for a link target, less the closing NUL. */
const LINK_TARGET_MAX = 4095;
const STATFS_BYTES = 80;

export function lookup(context: Context, request: Request, reply: Reply): number {
  const name = request.name(0);
  if (name === undefined) return -EINVAL;
  const entry = context.operations.lookup(request.node, name, context.caller);
  const node = entry === undefined ? 0 : entry.node;
  return writeEntry(reply, REPLY_BODY, node, entry?.attributes, context.entryTimeout, context.attributeTimeout);
}

export function getattr(context: Context, request: Request, reply: Reply): number {
  const attributes = context.operations.getattr(request.node, context.caller);
  return writeAttributesOut(reply, REPLY_BODY, attributes, context.attributeTimeout);
}

export function readlink(context: Context, request: Request, reply: Reply): number {
  const target = context.operations.readlink(request.node, context.caller);
  if (target.length > LINK_TARGET_MAX) return -ENAMETOOLONG;
  reply.target(target.length).set(target);
  return target.length;
}

/** fuse_kstatfs: blocks, bfree, bavail, files, ffree u64; bsize, namelen, frsize, padding u32; 24 spare bytes. */
export function statfs(context: Context, request: Request, reply: Reply): number {
  const status = context.operations.statfs(request.node);
  const { words } = reply;
  reply.setU64(REPLY_BODY, status.blocks);
  reply.setU64(REPLY_BODY + 2, status.blocksFree);
  reply.setU64(REPLY_BODY + 4, status.blocksFree);
  reply.setU64(REPLY_BODY + 6, status.files);
  reply.setU64(REPLY_BODY + 8, status.filesFree);
  words[REPLY_BODY + 10] = status.blockSize;
  words[REPLY_BODY + 11] = status.nameLength;
  words[REPLY_BODY + 12] = status.blockSize;
  words.fill(0, REPLY_BODY + 13, REPLY_BODY + STATFS_BYTES / 4);
  return STATFS_BYTES;
}
