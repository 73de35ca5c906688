// A transfer that is held in memory, verified and then uncompressed: for small objects, and for what cannot be stored.
import type { ObjectRequest } from '../objects/object.ts';
import { damaged, sizeLimit, verifyHash, wrongSize } from './expectation.ts';
import { giveTransferBuffer, TRANSFER_BUFFER_BYTES, takeTransferBuffer } from './transfer-buffers.ts';

const NOTHING = Buffer.alloc(0);
/** Up to this size uncompressing is quicker than telling another thread to do it. Bytes. */
const SYNCHRONOUS_BYTES = 512 * 1024;

export class MemoryTransfer {
  #request: ObjectRequest;
  #buffer: Buffer;
  #length = 0;

  /** `length`: bytes that will come, if known. */
  constructor(request: ObjectRequest, length: number | undefined) {
    this.#request = request;
    const small = length === undefined || length <= TRANSFER_BUFFER_BYTES;
    this.#buffer = small ? takeTransferBuffer() : Buffer.allocUnsafeSlow(length);
  }

  /** Gives the buffer back; nothing but `length` may be used from then on. */
  release(): void {
    giveTransferBuffer(this.#buffer);
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
    const chunkSize = Math.max(64, request.size === undefined ? 65536 : limit);
    const options = { maxOutputLength: limit, chunkSize, rejectGarbageAfterEnd: true };
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
