// A transfer that streams through hash and zlib into a temporary file: large objects, never whole in memory.
import { write } from 'node:fs';
import type { Inflate } from 'node:zlib';
import { type ContentHash, newHash } from '../objects/hash.ts';
import type { ObjectRequest } from '../objects/object.ts';
import { checksum } from './checksum.ts';
import type { CacheDirectory } from './directory.ts';
import { notStored } from './errors.ts';
import { damaged, sizeLimit, wrongHash, wrongSize } from './expectation.ts';
import type { TemporaryFile } from './temporary-file.ts';
import { giveTransferBuffer, TRANSFER_BUFFER_BYTES, takeTransferBuffer } from './transfer-buffers.ts';

/** Bytes that go to zlib and to the disk at once. */
const BLOCK_BYTES = TRANSFER_BUFFER_BYTES;
/** Blocks that may be under way to the disk before the sender is stopped. */
const MAX_WRITES = 4;

/** Told of an object that is about to appear: its size in bytes and its checksum. */
export type Complete = (size: number, checksum: number) => void;

export class DiskTransfer {
  #request: ObjectRequest;
  #directory: CacheDirectory;
  #file: TemporaryFile;
  #hash: ReturnType<typeof newHash>;
  #inflate: Inflate | undefined;
  #block = takeTransferBuffer();
  #filled = 0;
  #written = 0;
  #writes = 0;
  #inflating = 0;
  #stopped = false;
  #ending: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #inflated = false;
  #failure: Error | undefined;
  #discarded = false;
  readonly #resume: () => void;
  readonly #fail: (error: Error) => void;

  /** CRC-32 of what was written. */
  #checksum = 0;
  readonly #complete: Complete;

  /** `resume` is called after `write` returned false, `fail` when it turns out to be in vain. Throws CacheError NOT_STORED. */
  constructor(
    request: ObjectRequest,
    directory: CacheDirectory,
    resume: () => void,
    fail: (error: Error) => void,
    complete: Complete = () => {},
  ) {
    this.#request = request;
    this.#directory = directory;
    this.#resume = resume;
    this.#fail = fail;
    this.#complete = complete;
    this.#file = directory.create();
    this.#hash = newHash(request.hash.algorithm);
    if (request.compression === 'zlib') this.#inflate = this.#openInflate();
  }

  /** Takes bytes; false: wait for `resume`. */
  write(bytes: Buffer): boolean {
    if (this.#failure) return true;
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length; ) {
      const count = bytes.copy(this.#block, this.#filled, at);
      this.#filled += count;
      at += count;
      if (this.#filled === BLOCK_BYTES) this.#passBlock();
    }
    this.#stopped = this.#full;
    return !this.#stopped;
  }

  /** Verifies, and makes the object visible. Rejects with CorruptTransfer or CacheError. */
  async finish(): Promise<void> {
    const { hash } = this.#request;
    if (this.#failure) throw this.#failure;
    if (this.#hash.digest('hex') !== hash.hex) throw wrongHash(this.#request);
    await new Promise<void>((resolve, reject) => {
      this.#ending = { resolve, reject };
      if (this.#filled > 0) this.#passBlock();
      if (this.#inflate) this.#inflate.end();
      else this.#inflated = true;
      this.#settle();
    });
    const { size } = this.#request;
    if (size !== undefined && this.#written !== size) throw wrongSize(this.#request, String(this.#written));
    this.#commit(hash);
  }

  /** Frees everything. Harmless after `finish`. */
  discard(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    this.#failure ??= new Error('abandoned');
    this.#inflate?.destroy();
    // The name goes at once: the process may be about to end. A block under way uses the descriptor: its number must not be
    // given away before it has returned.
    this.#file.unlink();
    if (this.#writes === 0) this.#file.discard();
  }

  get #full(): boolean {
    return this.#writes + this.#inflating >= MAX_WRITES;
  }

  #commit(hash: ContentHash): void {
    this.#discarded = true;
    this.#complete(this.#written, this.#checksum);
    this.#directory.commit(this.#file, hash);
  }

  #openInflate(): Inflate {
    const inflate = process
      .getBuiltinModule('node:zlib')
      .createInflate({ chunkSize: BLOCK_BYTES, rejectGarbageAfterEnd: true });
    inflate.on('data', (plain: Buffer) => this.#store(plain));
    inflate.on('error', (error) => this.#failed(damaged(this.#request, error)));
    inflate.on('end', () => {
      this.#inflated = true;
      this.#settle();
    });
    return inflate;
  }

  #passBlock(): void {
    const block = this.#block.subarray(0, this.#filled);
    this.#block = takeTransferBuffer();
    this.#filled = 0;
    if (!this.#inflate) {
      this.#store(block);
      return;
    }
    this.#inflating++;
    this.#inflate.write(block, (error) => {
      this.#inflating--;
      // Destroyed in the middle of its work, zlib may still be reading.
      if (!error) giveTransferBuffer(block);
      this.#goOn();
    });
  }

  #store(plain: Buffer): void {
    if (this.#failure) return;
    this.#written += plain.length;
    if (this.#written > sizeLimit(this.#request)) {
      this.#failed(wrongSize(this.#request, 'more'));
      return;
    }
    this.#checksum = checksum(plain, this.#checksum);
    this.#writeAt(plain, this.#written - plain.length);
  }

  #writeAt(plain: Buffer, position: number): void {
    this.#writes++;
    if (this.#writes >= MAX_WRITES) this.#inflate?.pause();
    write(this.#file.fd, plain, 0, plain.length, position, (error, count) => {
      this.#writes--;
      if (!this.#inflate && (error || count === plain.length)) giveTransferBuffer(plain);
      if (this.#discarded) {
        if (this.#writes === 0) this.#file.discard();
        return;
      }
      if (error) this.#failed(notStored(this.#directory.path, error));
      else if (count < plain.length) this.#writeAt(plain.subarray(count), position + count);
      this.#goOn();
    });
  }

  #goOn(): void {
    if (this.#writes < MAX_WRITES) this.#inflate?.resume();
    if (this.#stopped && !this.#full) {
      this.#stopped = false;
      this.#resume();
    }
    this.#settle();
  }

  #failed(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    if (this.#ending) this.#ending.reject(error);
    else this.#fail(error);
  }

  #settle(): void {
    if (this.#inflated && this.#writes === 0 && !this.#failure) this.#ending?.resolve();
  }
}
