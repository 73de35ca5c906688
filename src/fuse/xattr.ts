// GETXATTR and LISTXATTR.
//   fuse_getxattr_in: size, padding u32, then (GETXATTR) the name      fuse_getxattr_out: size, padding u32

import type { Context } from './context.ts';
import { EINVAL, ENOSYS, EOPNOTSUPP, ERANGE } from './errno.ts';
import { REPLY_BODY, type Reply } from './reply.ts';
import { BODY, type Request } from './request.ts';

const GETXATTR_IN_BYTES = 8;
const GETXATTR_OUT_BYTES = 8;

/** Size 0 asks for the length only. */
function sized(size: number, length: number, reply: Reply): number {
  if (size === 0) {
    reply.words[REPLY_BODY] = length;
    reply.words[REPLY_BODY + 1] = 0;
    return GETXATTR_OUT_BYTES;
  }
  return size < length ? -ERANGE : length;
}

/** Never published. security.selinux comes with every `ls -l`. */
const UNSUPPORTED = ['security.selinux', 'system.', 'trusted.'];

/** The names above are EOPNOTSUPP, which makes the usual programs ask once per run, where ENODATA makes them ask for every file. */
export function getxattr(context: Context, request: Request, reply: Reply): number {
  if (!request.has(GETXATTR_IN_BYTES + 2)) return -EINVAL;
  const name = request.name(GETXATTR_IN_BYTES);
  if (name === undefined) return -EINVAL;
  if (UNSUPPORTED.some((prefix) => name.startsWith(prefix))) return -EOPNOTSUPP;
  const value = context.operations.getxattr(request.node, name, context.caller);
  const size = request.words[BODY];
  const length = sized(size, value.length, reply);
  if (size !== 0 && length > 0) reply.target(length).set(value);
  return length;
}

/** ENOSYS stops the kernel from asking again; GETXATTR goes on working. */
export function listxattr(context: Context, request: Request, reply: Reply): number {
  if (!context.listXattr) return -ENOSYS;
  if (!request.has(GETXATTR_IN_BYTES)) return -EINVAL;
  const names = context.operations.listxattr(request.node, context.caller);
  const text = names.length === 0 ? '' : `${names.join('\0')}\0`;
  const size = request.words[BODY];
  const length = sized(size, text.length, reply);
  if (size !== 0 && length > 0) {
    reply.reserve(length);
    reply.bytes.write(text, REPLY_BODY * 4, 'latin1');
  }
  return length;
}
