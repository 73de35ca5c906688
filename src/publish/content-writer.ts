// Stores the data of regular files: small ones as one object, large ones as chunks. Reading and hashing happen here,
// compression in libuv's threads, as many at once as fit into a bounded amount of memory.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { ContentHash } from '../objects/hash.ts';
import type { Compression, ObjectLetter } from '../objects/object.ts';
import { type ChunkSizes, findCut } from './chunker.ts';
import { PublishError, reason } from './errors.ts';
import type { ObjectFiles } from './object-files.ts';
import type { Chunk, TreeEntry } from './tree-entry.ts';
import { systemPath } from './tree-scan.ts';

export interface ContentOptions {
  readonly compression: Compression;
  readonly chunkSizes: ChunkSizes;
}

/** Bytes of content, and number of objects, that may be under way at once. */
const BYTES_UNDER_WAY = 64 << 20;
const OBJECTS_UNDER_WAY = 64;
/** A file is read and searched for the end of its chunk in steps of this many bytes. */
const READ_STEP = 1 << 20;
/** Never waits for a fifo and never follows a link that has taken a file's place. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class ContentWriter {
  readonly #objects: ObjectFiles;
  readonly #options: ContentOptions;
  #bytes = 0;
  #count = 0;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(objects: ObjectFiles, options: ContentOptions) {
    this.#objects = objects;
    this.#options = options;
  }

  /**
   * Stores the data of these files, which lie below `directory`, and sets their `content`.
   * @throws PublishError TREE, CHANGED_WHILE_READ, IO
   */
  async storeAll(directory: string, files: readonly TreeEntry[]): Promise<void> {
    const prefix = Buffer.from(directory);
    const byInode = new Map<string, TreeEntry>();
    const sameInode: [TreeEntry, TreeEntry][] = [];
    try {
      for (const entry of files) {
        const first = entry.inode === '' ? undefined : byInode.get(entry.inode);
        if (first !== undefined) {
          sameInode.push([entry, first]);
          continue;
        }
        if (entry.inode !== '') byInode.set(entry.inode, entry);
        await this.#storeFile(systemPath(prefix, entry.path), entry);
      }
    } catch (error) {
      this.#failure ??= error;
    }
    await this.#until(() => this.#count === 0);
    if (this.#failure !== undefined) throw this.#failure;
    for (const [entry, first] of sameInode) entry.content = first.content;
  }

  /** Returns when the file is read; its last objects are stored later. */
  async #storeFile(path: Buffer, entry: TreeEntry): Promise<void> {
    const descriptor = openFile(path);
    try {
      const first = readChunk(descriptor, path, 0, entry.size, this.#options.chunkSizes);
      if (first.length === entry.size) {
        checkUnchanged(descriptor, path, entry);
        await this.#store(first, '', (hash) => {
          entry.content = { hash };
        });
        return;
      }
      const chunks: Chunk[] = [];
      entry.content = { chunks };
      for (let offset = 0, data = first, index = 0; ; index++) {
        const place = { index, offset, size: data.length };
        await this.#store(data, 'P', (hash) => {
          chunks[place.index] = { offset: place.offset, size: place.size, hash };
        });
        offset += data.length;
        if (offset >= entry.size) break;
        data = readChunk(descriptor, path, offset, entry.size, this.#options.chunkSizes);
      }
      checkUnchanged(descriptor, path, entry);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Returns when there is room for the next object. */
  async #store(data: Uint8Array, letter: ObjectLetter, done: (hash: ContentHash) => void): Promise<void> {
    this.#bytes += data.length;
    this.#count++;
    this.#objects
      .store(data, letter, this.#options.compression)
      .then(done)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#bytes -= data.length;
        this.#count--;
        this.#wake?.();
      });
    await this.#until(() => this.#bytes < BYTES_UNDER_WAY && this.#count < OBJECTS_UNDER_WAY);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function openFile(path: Buffer): number {
  try {
    return openSync(path, OPEN_FLAGS);
  } catch (error) {
    throw new PublishError('TREE', `cannot read ${path}: ${reason(error)}`, error);
  }
}

/** The chunk that begins at `position`: up to its border or the end of the file, `fileSize` bytes from its start. */
function readChunk(descriptor: number, path: Buffer, position: number, fileSize: number, sizes: ChunkSizes): Buffer {
  const left = fileSize - position;
  // Pages of a large buffer that are never touched cost no memory.
  const buffer = Buffer.allocUnsafeSlow(Math.min(left, sizes.max));
  let length = 0;
  while (length < buffer.length) {
    const wanted = length === 0 ? Math.max(sizes.min, READ_STEP) : READ_STEP;
    const searched = length;
    length = readInto(descriptor, path, buffer, length, Math.min(buffer.length, length + wanted), position);
    if (left <= sizes.min) continue;
    const cut = findCut(buffer.subarray(0, length), searched, sizes);
    if (cut !== undefined) return buffer.subarray(0, cut);
  }
  return buffer;
}

function readInto(fd: number, path: Buffer, buffer: Buffer, from: number, to: number, position: number): number {
  let length = from;
  while (length < to) {
    let count: number;
    try {
      count = readSync(fd, buffer, length, to - length, position + length);
    } catch (error) {
      throw new PublishError('TREE', `cannot read ${path}: ${reason(error)}`, error);
    }
    if (count === 0) throw changed(path);
    length += count;
  }
  return length;
}

function checkUnchanged(descriptor: number, path: Buffer, entry: TreeEntry): void {
  const stats = fstatSync(descriptor, { bigint: true });
  const time = entry.mtime * 1_000_000_000n + BigInt(entry.mtimeNs);
  if (Number(stats.size) !== entry.size || stats.mtimeNs !== time) throw changed(path);
}

function changed(path: Buffer): PublishError {
  return new PublishError('CHANGED_WHILE_READ', `${path} changed while it was read: publish when nobody writes to it`);
}
