// One line of text for a request and for a reply, in the order and with the names of the kernel's structures. Only for --debug and for
// reports of accidents: nothing here is on the way of a request otherwise.

import * as errno from './errno.ts';
import { Opcode, opcodeName } from './opcodes.ts';
import { REPLY_BODY, REPLY_HEADER_BYTES, type Reply } from './reply.ts';
import { BODY, HEADER_BYTES, type Request } from './request.ts';

const ERRNO_NAMES = new Map<number, string>(
  Object.entries(errno).flatMap(([name, value]) => (typeof value === 'number' ? [[value, name]] : [])),
);
const TWO_32 = 0x1_0000_0000;

/** Bytes as a quoted string; what is not printable ASCII becomes an escape, so that a line stays a line. */
function quote(latin1: string): string {
  const text = JSON.stringify(latin1.length > 256 ? `${latin1.slice(0, 256)}...` : latin1);
  return text.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The NUL-terminated strings from byte `start` of a request's body on. */
function names(request: Request, start: number): string {
  const text = request.bytes.toString('latin1', HEADER_BYTES + start, Math.min(request.length, request.bytes.length));
  return text.split('\0').slice(0, -1).map(quote).join(' ');
}

/** What follows opcode, unique and node; only called if the body has at least 16 bytes where it reads numbers. */
function requestDetail(request: Request): string {
  const { words } = request;
  switch (request.opcode) {
    case Opcode.LOOKUP:
    case Opcode.UNLINK:
    case Opcode.RMDIR:
    case Opcode.REMOVEXATTR:
    case Opcode.SYMLINK:
      return names(request, 0);
    case Opcode.MKDIR:
    case Opcode.RENAME:
    case Opcode.LINK:
      return names(request, 8);
    case Opcode.MKNOD:
    case Opcode.CREATE:
    case Opcode.RENAME2:
      return names(request, 16);
    case Opcode.INIT:
      if (!request.has(16)) return '';
      return `version ${words[BODY]}.${words[BODY + 1]} max_readahead ${words[BODY + 2]} flags 0x${words[BODY + 3].toString(16)}`;
    case Opcode.OPEN:
    case Opcode.OPENDIR:
      return request.has(8) ? `flags 0${words[BODY].toString(8)}` : '';
    case Opcode.READ:
    case Opcode.READDIR:
    case Opcode.READDIRPLUS:
      return request.has(40) ? `offset ${request.u64(BODY + 2)} size ${words[BODY + 4]}` : '';
    case Opcode.ACCESS:
      return request.has(8) ? `mask ${words[BODY]}` : '';
    case Opcode.GETXATTR:
      return request.has(8) ? `size ${words[BODY]} ${names(request, 8)}` : '';
    case Opcode.LISTXATTR:
      return request.has(8) ? `size ${words[BODY]}` : '';
    case Opcode.SETATTR:
      return request.has(8) ? `valid 0x${words[BODY].toString(16)}` : '';
    case Opcode.IOCTL:
      return request.has(16) ? `cmd 0x${words[BODY + 3].toString(16)}` : '';
    case Opcode.INTERRUPT:
      return request.has(8) ? `of #${(words[BODY + 1] & 0x7fff_ffff) * TWO_32 + words[BODY]}` : '';
    default:
      return '';
  }
}

/** `LOOKUP #12 node 1 "name" uid 1000 gid 1000 pid 4242`. For any bytes. */
export function describeRequest(request: Request): string {
  const detail = requestDetail(request);
  const { uid, gid, pid } = request;
  return `${opcodeName(request.opcode)} #${request.unique} node ${request.node}${detail && ` ${detail}`} uid ${uid} gid ${gid} pid ${pid}`;
}

function attributes(words: Uint32Array, at: number): string {
  const size = words[at + 3] * TWO_32 + words[at + 2];
  return `ino ${words[at + 1] * TWO_32 + words[at]} mode 0${words[at + 15].toString(8)} size ${size}`;
}

function replyDetail(opcode: number, reply: Reply, bytes: number): string {
  const { words } = reply;
  switch (opcode) {
    case Opcode.LOOKUP: {
      const node = words[REPLY_BODY + 1] * TWO_32 + words[REPLY_BODY];
      return node === 0 ? 'no such name' : `node ${node} ${attributes(words, REPLY_BODY + 10)}`;
    }
    case Opcode.GETATTR:
      return attributes(words, REPLY_BODY + 4);
    case Opcode.READLINK:
      return quote(reply.bytes.toString('latin1', REPLY_HEADER_BYTES, REPLY_HEADER_BYTES + bytes));
    case Opcode.INIT:
      return `version ${words[REPLY_BODY]}.${words[REPLY_BODY + 1]} flags 0x${words[REPLY_BODY + 3].toString(16)}`;
    case Opcode.OPEN:
    case Opcode.OPENDIR:
      return `open_flags 0x${words[REPLY_BODY + 2].toString(16)}`;
    default:
      return `${bytes} bytes`;
  }
}

/** `LOOKUP #12 node 5 ino 5 mode 0100644 size 12`, or `LOOKUP #12 EIO`. `length` is the whole reply's, finished. */
export function describeReply(request: Request, reply: Reply, length: number): string {
  const error = reply.words[1] | 0;
  const bytes = length - REPLY_HEADER_BYTES;
  let result = 'ok';
  if (error !== 0) result = ERRNO_NAMES.get(-error) ?? `errno ${-error}`;
  else if (bytes > 0) result = replyDetail(request.opcode, reply, bytes);
  return `${opcodeName(request.opcode)} #${request.unique} ${result}`;
}
