// The kernel's side of the protocol, for tests: requests as bytes, replies taken apart. Written against <linux/fuse.h> with DataView, not
// with anything of the code under test.

export interface Header {
  opcode: number;
  unique?: bigint;
  node?: bigint;
  uid?: number;
  gid?: number;
  pid?: number;
}

export function requestBytes(header: Header, ...body: Uint8Array[]): Buffer {
  const head = Buffer.alloc(40);
  const bytes = Buffer.concat([head, ...body]);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(header.opcode, 4);
  bytes.writeBigUInt64LE(header.unique ?? 2n, 8);
  bytes.writeBigUInt64LE(header.node ?? 1n, 16);
  bytes.writeUInt32LE(header.uid ?? 0, 24);
  bytes.writeUInt32LE(header.gid ?? 0, 28);
  bytes.writeUInt32LE(header.pid ?? 0, 32);
  return bytes;
}

export const u32 = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
export const u64 = (...values: bigint[]): Buffer => Buffer.from(BigUint64Array.from(values).buffer);
export const cString = (latin1: string): Buffer => Buffer.from(`${latin1}\0`, 'latin1');

/** fuse_read_in, also of READDIR and READDIRPLUS. */
export const readIn = (offset: bigint, size: number): Buffer =>
  Buffer.concat([u64(0n, offset), u32(size, 0), u64(0n), u32(0, 0)]);

/** fuse_init_in; 16 bytes as from kernels before 5.17 when `flags2` is left out. */
export function initIn(minor: number, flags: number, flags2?: number, major = 7): Buffer {
  const first = u32(major, minor, 131_072, flags >>> 0);
  return flags2 === undefined ? first : Buffer.concat([first, u32(flags2 >>> 0), Buffer.alloc(44)]);
}

export interface ReplyParts {
  /** As the header says, and as written. */
  length: number;
  error: number;
  unique: bigint;
  body: Buffer;
}

export function replyParts(bytes: Buffer): ReplyParts {
  return {
    length: bytes.readUInt32LE(0),
    error: bytes.readInt32LE(4),
    unique: bytes.readBigUInt64LE(8),
    body: bytes.subarray(16),
  };
}

export interface AttrParts {
  ino: bigint;
  size: bigint;
  blocks: bigint;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  nanoseconds: number[];
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  blksize: number;
  flags: number;
}

export function attrParts(b: Buffer): AttrParts {
  return {
    ino: b.readBigUInt64LE(0),
    size: b.readBigUInt64LE(8),
    blocks: b.readBigUInt64LE(16),
    atime: b.readBigInt64LE(24),
    mtime: b.readBigInt64LE(32),
    ctime: b.readBigInt64LE(40),
    nanoseconds: [b.readUInt32LE(48), b.readUInt32LE(52), b.readUInt32LE(56)],
    mode: b.readUInt32LE(60),
    nlink: b.readUInt32LE(64),
    uid: b.readUInt32LE(68),
    gid: b.readUInt32LE(72),
    rdev: b.readUInt32LE(76),
    blksize: b.readUInt32LE(80),
    flags: b.readUInt32LE(84),
  };
}

export function entryParts(b: Buffer) {
  return {
    node: b.readBigUInt64LE(0),
    generation: b.readBigUInt64LE(8),
    entryValid: [b.readBigUInt64LE(16), b.readUInt32LE(32)] as const,
    attrValid: [b.readBigUInt64LE(24), b.readUInt32LE(36)] as const,
    attr: attrParts(b.subarray(40)),
  };
}

export interface Dirent {
  ino: bigint;
  next: bigint;
  type: number;
  name: string;
  entry?: ReturnType<typeof entryParts>;
}

/** Takes a list apart as strictly as the kernel: throws where it would say EIO. */
export function dirents(body: Buffer, plus: boolean): Dirent[] {
  const list: Dirent[] = [];
  for (let at = 0; at < body.length; ) {
    const record = at + (plus ? 128 : 0);
    const length = body.readUInt32LE(record + 16);
    const end = record + ((24 + length + 7) & ~7);
    if (length === 0 || length > 1024 || end > body.length) throw new Error(`bad dirent at ${at}`);
    const name = body.toString('latin1', record + 24, record + 24 + length);
    if (name.includes('/') || body.subarray(record + 24 + length, end).some((byte) => byte !== 0))
      throw new Error(`bad name ${name}`);
    list.push({
      ino: body.readBigUInt64LE(record),
      next: body.readBigUInt64LE(record + 8),
      type: body.readUInt32LE(record + 20),
      name,
      entry: plus ? entryParts(body.subarray(at)) : undefined,
    });
    at = end;
  }
  return list;
}
