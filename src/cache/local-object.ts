// An object that is local: a file of the cache, or bytes in memory.
import { closeSync, readSync } from 'node:fs';
import type { LocalObject } from '../objects/object.ts';

/** Owns an open descriptor of a cache file. */
export class FileObject implements LocalObject {
  readonly size: number;
  #fd: number;

  /** `size`: bytes in the file. */
  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.size = size;
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    try {
      // After close, -1: never somebody else's descriptor.
      return readSync(this.#fd, target, offset, length, position);
    } catch (error) {
      // Another machine removed it from a cache on NFS: to the reader it is one that was cut off, which is fetched again.
      if ((error as NodeJS.ErrnoException).code === 'ESTALE') return 0;
      throw error;
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    closeSync(fd);
  }
}

export class MemoryObject implements LocalObject {
  readonly size: number;
  readonly inMemory = true;
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    if (!this.#bytes) throw new Error('object is closed');
    const count = Math.max(0, Math.min(length, target.length - offset, this.size - position));
    if (count > 0) target.set(this.#bytes.subarray(position, position + count), offset);
    return count;
  }

  close(): void {
    this.#bytes = undefined;
  }
}
