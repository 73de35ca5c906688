// What the answers to requests share: the file system, how it is mounted, and the objects that are filled anew for each request.

import type { Timeout } from './attributes.ts';
import type { DirectoryWriter } from './directory.ts';
import type { Caller, Operations } from './operations.ts';
import type { Reply } from './reply.ts';
import type { Request } from './request.ts';

export interface Context {
  readonly operations: Operations;
  readonly entryTimeout: Timeout;
  readonly attributeTimeout: Timeout;
  /** ENOSYS to OPEN makes the kernel open files by itself from then on, and keep their pages. */
  leaveOpen: boolean;
  leaveOpendir: boolean;
  /** OPEN and OPENDIR go to the file system, where they are not left to the kernel. */
  readonly askOpen: boolean;
  readonly listXattr: boolean;
  readonly caller: Caller;
  readonly directory: DirectoryWriter;
}

/** Returns the length of the reply's body in bytes or a negative errno; may throw Errno or Pending. */
export type Handler = (context: Context, request: Request, reply: Reply) => number;
