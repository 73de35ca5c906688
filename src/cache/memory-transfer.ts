// A transfer that is held in memory, verified and then uncompressed: for small objects, and for what cannot be stored.
import type { ObjectRequest } from '../objects/object.ts';
import { damaged, sizeLimit, verifyHash, wrongSize } from './expectation.ts';

/** Transfers of up to this size share buffers: fresh memory costs more than all else that is done to a small object. Bytes. */
const SHARED_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);
/** Buffers that are free; as many as there may be connections. */
const free: Buffer[] = [];
const MAX_FREE = 16;

/** Up to this size uncompressing is quicker than telling another thread to do it. Bytes. */
const SYNCHRONOUS_BYTES = 512 * 1024;

export class MemoryTransfer {
  #request: ObjectRequest;
  #buffer: Buffer;
  #length = 0;

  /** `length`: bytes that will come, if known. */
  constructor(request: ObjectRequest, length: number | undefined) {
    this.#request = request;
    if ((length ?? 0) <= SHARED_BYTES) this.#buffer = free.pop() ?? Buffer.allocUnsafeSlow(SHARED_BYTES);
    else this.#buffer = Buffer.allocUnsafeSlow(length as number);
  }

  /** Gives the buffer back; nothing but `length` may be used from then on. */
  release(): void {
    if (this.#buffer.length === SHARED_BYTES && free.length < MAX_FREE) free.push(this.#buffer);
    this.#buffer = NOTHING;
  }

  get length(): number {
    return this.#length;
  }

  /** What came up to now. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  write(bytes: Buffer): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.release();
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#length);
    this.#length = needed;
  }

  /** The object, uncompressed, in memory of its own. Throws CorruptTransfer. */
  finish(): Buffer | Promise<Buffer> {
    const request = this.#request;
    verifyHash(request, this.bytes);
    if (request.compression === 'none') return this.#sized(Buffer.from(this.bytes));
    const zlib = process.getBuiltinModule('node:zlib');
    // One byte more than expected is enough to see that it is too much.
    const limit = sizeLimit(request) + 1;
    const options = { maxOutputLength: limit, chunkSize: Math.max(64, request.size === undefined ? 16384 : limit) };
    const small = this.#length <= SYNCHRONOUS_BYTES && (request.size ?? 0) <= SYNCHRONOUS_BYTES;
    if (!small) {
      return new Promise((resolve, reject) => {
        zlib.inflate(this.bytes, options, (error, plain) => {
          try {
            if (error) throw this.#failure(error);
            resolve(this.#sized(plain));
          } catch (failure) {
            reject(failure);
          }
        });
      });
    }
    let plain: Buffer;
    try {
      plain = zlib.inflateSync(this.bytes, options);
    } catch (error) {
      throw this.#failure(error);
    }
    return this.#sized(plain);
  }

  #failure(error: unknown): Error {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return wrongSize(this.#request, 'more');
    return damaged(this.#request, error);
  }

  #sized(plain: Buffer): Buffer {
    const { size } = this.#request;
    if (size !== undefined && plain.length !== size) throw wrongSize(this.#request, String(plain.length));
    return plain;
  }
}
