// Writes a tar archive to a descriptor, entry by entry.
import { readSync, writeSync } from 'node:fs';
import { BLOCK_BYTES, headerBlock, padding, type TarEntry } from './header.ts';
import { paxRecords } from './pax.ts';

const COPY_BYTES = 1 << 20;

export class TarWriter {
  readonly #fd: number;
  #buffer: Buffer | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Of a file, `content` is a descriptor from which `entry.size` bytes are read. */
  add(entry: TarEntry, content?: number): void {
    const records = paxRecords(entry);
    if (records !== '') {
      const data = Buffer.from(records, 'latin1');
      const header = {
        ...entry,
        path: 'pax',
        target: '',
        size: data.length,
        mode: 0o644,
        deviceMajor: 0,
        deviceMinor: 0,
      };
      this.#write(Buffer.concat([headerBlock(header, 'x'), data, Buffer.alloc(padding(data.length))]));
    }
    this.#write(headerBlock(entry));
    if (content !== undefined) this.#copy(entry, content);
  }

  /** Ends the archive; the descriptor stays open. */
  end(): void {
    this.#write(Buffer.alloc(2 * BLOCK_BYTES));
  }

  #copy({ path, size }: TarEntry, from: number): void {
    this.#buffer ??= Buffer.alloc(COPY_BYTES);
    for (let left = size; left > 0; ) {
      const count = readSync(from, this.#buffer, 0, Math.min(left, COPY_BYTES), null);
      if (count === 0) throw new Error(`${Buffer.from(path, 'latin1')} became shorter while it was read`);
      this.#write(this.#buffer.subarray(0, count));
      left -= count;
    }
    this.#write(Buffer.alloc(padding(size)));
  }

  #write(data: Buffer): void {
    for (let position = 0; position < data.length; ) position += writeSync(this.#fd, data, position);
  }
}
