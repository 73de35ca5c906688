// The contract between the FUSE session and a file system: plain synchronous functions, request in, reply out.
// A function that needs something which is not local yet throws Pending; the session waits and calls it again.

/** Node ids and offsets are non-negative integers below 2^53. The root of a mount is node 1. */
export const ROOT_NODE = 1;

/** fuse_attr without the times that are always equal: atime = ctime = mtime. */
export interface Attributes {
  /** st_ino, need not be the node id. */
  ino: number;
  /** Bytes. */
  size: number;
  /** 512-byte blocks. */
  blocks: number;
  /** Seconds since 1970, may be negative. */
  mtime: number;
  mtimeNs: number;
  /** File type and permission bits as in st_mode. */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  /** Linux device number, 32 bits as the kernel's FUSE wants it. */
  rdev: number;
  /** The kernel asks for them before each use of the node. */
  volatile?: boolean;
}

export interface Entry {
  node: number;
  attributes: Attributes;
}

/** Who asks, in ids of the mount's namespaces; pid (of the thread) 0 when unknown. One object for all requests: valid during the call only. */
export interface Caller {
  uid: number;
  gid: number;
  pid: number;
}

/** Receives a directory's entries until the reply is full. */
export interface DirectorySink {
  /** `name` in Latin-1; `next` is the offset to continue from after this entry. False: not taken, the reply is full. */
  add(name: string, entry: Entry, next: number): boolean;
}

export interface OpenFlags {
  directIo?: boolean;
  keepCache?: boolean;
}

/** struct fuse_kstatfs; block counts are in units of `blockSize` bytes. */
export interface FileSystemStatus {
  blocks: number;
  blocksFree: number;
  files: number;
  filesFree: number;
  blockSize: number;
  nameLength: number;
}

/** Names and link targets are bytes: strings here hold one byte per character (Latin-1). Every function may throw Errno or Pending. */
export interface Operations {
  /** undefined: the name does not exist, and the kernel may remember that. Errno(ENOENT): it shall ask again the next time. */
  lookup(parent: number, name: string, caller: Caller): Entry | undefined;
  getattr(node: number, caller: Caller): Attributes;
  readlink(node: number, caller: Caller): Uint8Array;
  /** Only called where opening is not left to the kernel (see SessionOptions.answerOpen). */
  open(node: number, flags: number, caller: Caller): OpenFlags;
  opendir(node: number, caller: Caller): OpenFlags;
  /** Fills `target` from the file's `offset` on; returns the bytes written, fewer only at the end of the file. */
  read(node: number, offset: number, target: Uint8Array, caller: Caller): number;
  /** Adds entries from `offset` on (0 at first), "." and ".." included, until the sink is full or the list ends. */
  readdir(node: number, offset: number, sink: DirectorySink, caller: Caller): void;
  statfs(node: number): FileSystemStatus;
  /** Never asked for security.selinux, system.* and trusted.*, which do not exist here. Errno(ENODATA): there is no such attribute. */
  getxattr(node: number, name: string, caller: Caller): Uint8Array;
  /** Names without terminating NUL. */
  listxattr(node: number, caller: Caller): string[];
  /** `mask` as in access(2); throws Errno(EACCES) or returns. Only called when the kernel does not check by itself. */
  access(node: number, mask: number, caller: Caller): void;
}

/** Answers the request with this errno (positive). Carries no stack: it is an answer, not an accident. */
export class Errno {
  readonly errno: number;
  constructor(errno: number) {
    this.errno = errno;
  }
}

/** The request cannot be answered before `ready` settles; it is then tried again. A rejection is answered with EIO. */
export class Pending {
  readonly ready: Promise<unknown>;
  constructor(ready: Promise<unknown>) {
    this.ready = ready;
  }
}
