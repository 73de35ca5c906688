// Which answer belongs to which opcode. What is not in the table is ENOSYS, which makes the kernel do without: FLUSH, FSYNC, FSYNCDIR,
// LSEEK, POLL, STATX, BMAP, COPY_FILE_RANGE are never sent again, and succeed or are done the plain way.

import type { Context, Handler } from './context.ts';
import { EINVAL, ENOTTY, EROFS } from './errno.ts';
import { open, opendir, read, readdir, readdirplus } from './files.ts';
import { getattr, lookup, readlink, statfs } from './names.ts';
import { Opcode } from './opcodes.ts';
import { BODY, type Request } from './request.ts';
import { getxattr, listxattr } from './xattr.ts';

const W_OK = 2;
const ACCESS_IN_BYTES = 8;

/** Comes only where the kernel does not check permissions itself, and must never be ENOSYS there: that would allow all for good. */
function access(context: Context, request: Request): number {
  if (!request.has(ACCESS_IN_BYTES)) return -EINVAL;
  const mask = request.words[BODY];
  if (mask & W_OK) return -EROFS;
  if (mask !== 0) context.operations.access(request.node, mask, context.caller);
  return 0;
}

const readOnly: Handler = () => -EROFS;
const nothingToDo: Handler = () => 0;
const noTerminal: Handler = () => -ENOTTY;

const TABLE: ReadonlyArray<readonly [number, Handler]> = [
  [Opcode.LOOKUP, lookup],
  [Opcode.GETATTR, getattr],
  [Opcode.READLINK, readlink],
  [Opcode.STATFS, statfs],
  [Opcode.OPEN, open],
  [Opcode.READ, read],
  [Opcode.RELEASE, nothingToDo],
  [Opcode.OPENDIR, opendir],
  [Opcode.READDIR, readdir],
  [Opcode.READDIRPLUS, readdirplus],
  [Opcode.RELEASEDIR, nothingToDo],
  [Opcode.GETXATTR, getxattr],
  [Opcode.LISTXATTR, listxattr],
  [Opcode.ACCESS, access],
  [Opcode.DESTROY, nothingToDo],
  [Opcode.IOCTL, noTerminal],
  [Opcode.SETATTR, readOnly],
  [Opcode.SYMLINK, readOnly],
  [Opcode.MKNOD, readOnly],
  [Opcode.MKDIR, readOnly],
  [Opcode.UNLINK, readOnly],
  [Opcode.RMDIR, readOnly],
  [Opcode.RENAME, readOnly],
  [Opcode.RENAME2, readOnly],
  [Opcode.LINK, readOnly],
  [Opcode.CREATE, readOnly],
  [Opcode.TMPFILE, readOnly],
  [Opcode.WRITE, readOnly],
  [Opcode.FALLOCATE, readOnly],
  [Opcode.SETXATTR, readOnly],
  [Opcode.REMOVEXATTR, readOnly],
];

/** By opcode. */
export const HANDLERS: ReadonlyArray<Handler | undefined> = (() => {
  const handlers = new Array<Handler | undefined>(Math.max(...TABLE.map(([opcode]) => opcode)) + 1).fill(undefined);
  for (const [opcode, handler] of TABLE) handlers[opcode] = handler;
  return handlers;
})();
