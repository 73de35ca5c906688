// A request as the kernel wrote it. Every one begins with fuse_in_header, 40 bytes:
//   len u32 | opcode u32 | unique u64 | nodeid u64 | uid u32 | gid u32 | pid u32 | total_extlen u16 | padding u16
// All structures are in the machine's byte order and aligned, so they are read through 32-bit words.

export const HEADER_BYTES = 40;

/** Word index of the first field behind the header. */
export const BODY = HEADER_BYTES / 4;

const TWO_32 = 0x1_0000_0000;

export class Request {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;

  /** `capacity` in bytes, a multiple of four and at least a header. */
  constructor(capacity: number) {
    this.bytes = Buffer.from(new ArrayBuffer(capacity));
    this.words = new Uint32Array(this.bytes.buffer);
  }

  /** Bytes of the whole request, header included. */
  get length(): number {
    return this.words[0];
  }

  get opcode(): number {
    return this.words[1];
  }

  get node(): number {
    return this.words[5] * TWO_32 + this.words[4];
  }

  get uid(): number {
    return this.words[6];
  }

  get gid(): number {
    return this.words[7];
  }

  get pid(): number {
    return this.words[8];
  }

  /** Fits into a number also after a RESEND, whose mark (bit 63) costs at most the exactness: for people, not for replies. */
  get unique(): number {
    return (this.words[3] & 0x7fff_ffff) * TWO_32 + this.words[2];
  }

  u64(word: number): number {
    return this.words[word + 1] * TWO_32 + this.words[word];
  }

  /** True if the request has at least `bytes` bytes behind its header. */
  has(bytes: number): boolean {
    return this.words[0] >= HEADER_BYTES + bytes;
  }

  /** The name that fills the request from byte `start` of the body to its end, without the closing NUL; undefined if there is none. */
  name(start: number): string | undefined {
    const end = this.words[0] - 1;
    const from = HEADER_BYTES + start;
    if (end <= from || this.bytes[end] !== 0) return undefined;
    return this.bytes.toString('latin1', from, end);
  }

  /** A copy of just this request, which lives on while the buffer takes the next one. */
  copy(): Request {
    const copy = new Request((this.length + 3) & ~3);
    copy.bytes.set(this.bytes.subarray(0, this.length));
    return copy;
  }
}
