// Reads a tar archive from a descriptor: ustar, pax, and the long names of GNU tar. Not compressed.
import { readSync, writeSync } from 'node:fs';
import { BLOCK_BYTES, padding, parseHeaderBlock, type TarEntry } from './header.ts';
import { parsePaxRecords, withPaxRecords } from './pax.ts';

const COPY_BYTES = 1 << 20;
/** Of pax records and long names. */
const MAX_EXTENSION_BYTES = 8 << 20;

export class TarReader {
  readonly #fd: number;
  /** Bytes of the present entry that nobody has read, with what fills its last block. */
  #left = 0;
  #padding = 0;
  #buffer: Buffer | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Entries in their order; what is left of an entry's content is passed over. @throws Error for what is no archive */
  *entries(): Generator<TarEntry> {
    let global = new Map<string, string>();
    let records = new Map<string, string>();
    for (;;) {
      this.#copy(undefined);
      const block = Buffer.alloc(BLOCK_BYTES);
      const got = this.#read(block);
      if (got === 0 || block.every((byte) => byte === 0)) return;
      const header = got === BLOCK_BYTES ? parseHeaderBlock(block) : undefined;
      if (!header) throw new Error('it is not a tar archive, or damaged (a compressed one must be uncompressed first)');
      const { type, kind, entry } = header;
      if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
        const data = this.#extension(entry.size);
        if (type === 'g') global = new Map([...global, ...parsePaxRecords(data)]);
        else if (type === 'x') records = new Map([...records, ...parsePaxRecords(data)]);
        else records.set(type === 'L' ? 'path' : 'linkpath', data.toString('latin1').split('\0')[0]!);
        continue;
      }
      const full = withPaxRecords(entry, new Map([...global, ...records]));
      records = new Map();
      this.#left = kind === undefined || kind === 'file' ? full.size : 0;
      this.#padding = padding(this.#left);
      if (kind === undefined) throw new Error(`${Buffer.from(full.path, 'latin1')} is of an unknown type (${type})`);
      const path = full.path.replace(/^(\.?\/+)+/, '').replace(/\/+$/, '');
      yield { ...full, path: path === '.' ? '' : path, size: this.#left };
    }
  }

  /** Writes the present entry's content to `fd`. */
  copyTo(fd: number): void {
    this.#copy(fd);
  }

  #extension(size: number): Buffer {
    if (size > MAX_EXTENSION_BYTES) throw new Error(`a header of ${size} bytes is not for real`);
    const data = Buffer.alloc(size + padding(size));
    if (this.#read(data) < data.length) throw new Error('it is cut off');
    return data.subarray(0, size);
  }

  #copy(to: number | undefined): void {
    this.#buffer ??= Buffer.alloc(COPY_BYTES);
    while (this.#left + this.#padding > 0) {
      const content = this.#left > 0;
      const wanted = Math.min(content ? this.#left : this.#padding, COPY_BYTES);
      const piece = this.#buffer.subarray(0, wanted);
      if (this.#read(piece) < wanted) throw new Error('it is cut off');
      if (content) this.#left -= wanted;
      else this.#padding -= wanted;
      if (!content || to === undefined) continue;
      for (let position = 0; position < wanted; ) position += writeSync(to, piece, position);
    }
  }

  /** Bytes read: fewer than asked for at the end only. */
  #read(into: Buffer): number {
    let position = 0;
    while (position < into.length) {
      const count = readSync(this.#fd, into, position, into.length - position, null);
      if (count === 0) break;
      position += count;
    }
    return position;
  }
}
