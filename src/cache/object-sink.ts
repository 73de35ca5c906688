// Takes the bytes of one object: small ones in memory, large ones straight to disk.
import { readableLabel } from '../objects/label.ts';
import type { ObjectRequest } from '../objects/object.ts';
import type { TransferControl, TransferSink } from '../objects/transfer.ts';
import type { CacheDirectory } from './directory.ts';
import { type Complete, DiskTransfer } from './disk-transfer.ts';
import { CacheError } from './errors.ts';
import { transferLimit, wrongSize } from './expectation.ts';
import { MemoryTransfer } from './memory-transfer.ts';

/** Transfers up to this size are held in memory, if what comes out may be as well. Bytes. */
const SMALL_TRANSFER = 256 * 1024;
const SMALL_OBJECT = 1024 * 1024;
/** Largest object that is held in memory because it cannot be stored. Bytes. */
export const MAX_HOMELESS_BYTES = 256 * 1024 * 1024;

export class ObjectSink implements TransferSink {
  #request: ObjectRequest;
  /** Undefined: memory only. */
  #directory: CacheDirectory | undefined;
  #complete: Complete | undefined;
  #control: TransferControl | undefined;
  #memory: MemoryTransfer | undefined;
  #disk: DiskTransfer | undefined;
  #received = 0;
  #result: Buffer | undefined;

  /** `complete` is told of what goes to the directory by itself. */
  constructor(request: ObjectRequest, directory: CacheDirectory | undefined, complete?: Complete) {
    this.#request = request;
    this.#complete = complete;
    this.#directory = directory;
  }

  /** The object, when it is in memory and not on disk. */
  get result(): Buffer | undefined {
    return this.#result;
  }

  /** Bytes of the transfer that have come. */
  get received(): number {
    return this.#received;
  }

  begin(control: TransferControl): void {
    this.abort();
    this.#control = control;
    this.#received = 0;
    const { length } = control;
    if (length !== undefined) this.#check(length);
    const small = (length ?? 0) <= SMALL_TRANSFER && (this.#request.size ?? 0) <= SMALL_OBJECT;
    if (small || !this.#directory) this.#memory = new MemoryTransfer(this.#request, length);
    else this.#disk = this.#openDisk(control, this.#directory);
  }

  write(bytes: Buffer): boolean {
    this.#received += bytes.length;
    this.#check(this.#received);
    if (this.#disk) return this.#disk.write(bytes);
    const memory = this.#memory as MemoryTransfer;
    memory.write(bytes);
    if (memory.length <= SMALL_TRANSFER || !this.#directory) return true;
    // Larger than it looked.
    this.#disk = this.#openDisk(this.#control as TransferControl, this.#directory);
    const goOn = this.#disk.write(memory.bytes);
    this.#releaseMemory();
    return goOn;
  }

  end(): void | Promise<void> {
    if (this.#disk) return this.#disk.finish().finally(() => this.abort());
    const object = (this.#memory as MemoryTransfer).finish();
    if (object instanceof Promise) {
      return object
        .then((bytes) => {
          this.#result = bytes;
        })
        .finally(() => this.#releaseMemory());
    }
    this.#result = object;
    this.#releaseMemory();
  }

  /** Never called while a transfer is ending. */
  abort(): void {
    this.#releaseMemory();
    this.#disk?.discard();
    this.#disk = undefined;
  }

  #releaseMemory(): void {
    this.#memory?.release();
    this.#memory = undefined;
  }

  #openDisk(control: TransferControl, directory: CacheDirectory): DiskTransfer {
    return new DiskTransfer(this.#request, directory, control.resume, control.fail, this.#complete);
  }

  #check(length: number): void {
    if (length > transferLimit(this.#request)) throw wrongSize(this.#request, 'more');
    if (!this.#directory && Math.max(length, this.#request.size ?? 0) > MAX_HOMELESS_BYTES) {
      const { hash, label } = this.#request;
      throw new CacheError(
        'TOO_LARGE',
        `${readableLabel(label)} (${hash}) is too large to be used without storing it (free space in the cache)`,
      );
    }
  }
}
