// The one buffer in which every reply is made: fuse_out_header (len u32 | error i32 | unique u64), then the body.

import { EINVAL } from './errno.ts';
import { Errno } from './operations.ts';

export const REPLY_HEADER_BYTES = 16;

/** Word index of the first field behind the header. */
export const REPLY_BODY = REPLY_HEADER_BYTES / 4;

const INITIAL_BODY_BYTES = 256 * 1024;
/** More than any kernel asks for: 256 pages of 64 KiB. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const TWO_32 = 0x1_0000_0000;

export class Reply {
  bytes: Buffer<ArrayBuffer>;
  words: Uint32Array<ArrayBuffer>;
  #target: Uint8Array<ArrayBuffer>;

  constructor() {
    this.bytes = Buffer.from(new ArrayBuffer(REPLY_HEADER_BYTES + INITIAL_BODY_BYTES));
    this.words = new Uint32Array(this.bytes.buffer);
    this.#target = this.bytes.subarray(0, 0);
  }

  /** Makes room for a body of `size` bytes; throws EINVAL for more than any request can ask for. */
  reserve(size: number): void {
    if (REPLY_HEADER_BYTES + size <= this.bytes.length) return;
    if (size > MAX_BODY_BYTES) throw new Errno(EINVAL);
    // The header is written last, so nothing of the old buffer is needed.
    this.bytes = Buffer.from(new ArrayBuffer(REPLY_HEADER_BYTES + 2 ** Math.ceil(Math.log2(size))));
    this.words = new Uint32Array(this.bytes.buffer);
    this.#target = this.bytes.subarray(0, 0);
  }

  /** The body's first `size` bytes, to be written into directly. Valid until the next call. */
  target(size: number): Uint8Array<ArrayBuffer> {
    this.reserve(size);
    if (this.#target.length !== size || size === 0) {
      this.#target = new Uint8Array(this.bytes.buffer, REPLY_HEADER_BYTES, size);
    }
    return this.#target;
  }

  /** Stores a non-negative integer below 2^53 as u64. */
  setU64(word: number, value: number): void {
    this.words[word] = value;
    this.words[word + 1] = value / TWO_32;
  }

  /** Completes the header; `body` is the body's length in bytes or a negative errno. Returns the reply's length in bytes. */
  finish(body: number, uniqueLow: number, uniqueHigh: number): number {
    const { words } = this;
    const length = REPLY_HEADER_BYTES + Math.max(body, 0);
    words[0] = length;
    words[1] = Math.min(body, 0);
    words[2] = uniqueLow;
    words[3] = uniqueHigh;
    return length;
  }
}
