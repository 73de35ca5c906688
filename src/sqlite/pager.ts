// Reads pages of one file: checked b-tree pages through the cache, chains of overflow pages past it.
import { BLOCK_BYTES, Block } from './block.ts';
import { corrupt, SqliteError } from './error.ts';
import { type FileHeader, HEADER_BYTES, parseHeader } from './header.ts';
import { Page } from './page.ts';
import type { PageCache } from './page-cache.ts';
import type { PageSource } from './page-source.ts';

/** SQLite itself goes no deeper; with two children to a page this is more than a file can hold. */
export const MAX_DEPTH = 20;

export class Pager {
  readonly usable: number;
  readonly pageCount: number;
  /** Largest payload that is wholly on its page, in tables and in indexes. */
  readonly tableLocal: number;
  readonly indexLocal: number;
  readonly #pageSize: number;
  readonly #leastLocal: number;
  readonly #source: PageSource;
  readonly #cache: PageCache;
  readonly #pagesPerBlock: number;
  #blocks: (Block | undefined)[];
  #overflow: Buffer | undefined;
  #closed = false;

  /** Throws SqliteError when the header does not fit; the source stays open then. */
  constructor(source: PageSource, cache: PageCache) {
    this.#source = source;
    this.#cache = cache;
    const bytes = Buffer.alloc(Math.min(HEADER_BYTES, source.size));
    this.#read(bytes, 0);
    const header: FileHeader = parseHeader(bytes, source.size);
    this.#pageSize = header.pageSize;
    this.usable = header.usable;
    this.pageCount = header.pageCount;
    this.tableLocal = header.usable - 35;
    this.indexLocal = Math.floor(((header.usable - 12) * 64) / 255) - 23;
    this.#leastLocal = Math.floor(((header.usable - 12) * 32) / 255) - 23;
    this.#pagesPerBlock = Math.max(1, BLOCK_BYTES / header.pageSize);
    this.#blocks = new Array(Math.ceil(header.pageCount / this.#pagesPerBlock));
  }

  /** A page of a table's or an index's tree. All pages but a root hold cells. */
  page(number: number, table: boolean, root: boolean): Page {
    const place = (number - 1) % this.#pagesPerBlock;
    const block = this.#blocks[(number - 1 - place) / this.#pagesPerBlock] ?? this.#load(number);
    block.recent = true;
    const page = block.pages[place] ?? this.#check(block, place, number);
    if (page.table !== table) throw corrupt(`page ${number} belongs to ${table ? 'an index' : 'a table'}`);
    if (page.count === 0 && !root) throw corrupt(`page ${number} is empty`);
    return page;
  }

  /** How many of `size` payload bytes are on the page itself. `most` is tableLocal or indexLocal. */
  localSize(size: number, most: number): number {
    if (size <= most) return size;
    const local = this.#leastLocal + ((size - this.#leastLocal) % (this.usable - 4));
    return local <= most ? local : this.#leastLocal;
  }

  /** Puts together a payload that continues on overflow pages. `at` is where its local part begins on `page`. */
  assemble(page: Page, at: number, size: number, most: number, target: Buffer): void {
    const local = this.localSize(size, most);
    page.bytes.copy(target, 0, at, at + local);
    let next = page.bytes.readUInt32BE(at + local);
    this.#overflow ??= Buffer.allocUnsafeSlow(this.#pageSize);
    for (let done = local; done < size; ) {
      this.#checkNumber(next);
      this.#read(this.#overflow, (next - 1) * this.#pageSize);
      done += this.#overflow.copy(target, done, 4, Math.min(this.usable, 4 + size - done));
      next = this.#overflow.readUInt32BE(0);
    }
    if (next !== 0) throw corrupt(`a payload of ${size} bytes on page ${page.number} does not end where it should`);
  }

  /** Throws unless a payload of `size` bytes that starts at `at` has its local part within the page. */
  checkPayload(page: Page, at: number, size: number, most: number): void {
    if (size <= most) {
      if (at + size <= this.usable) return;
    } else if (size <= this.pageCount * this.usable && at + this.localSize(size, most) + 4 <= this.usable) {
      return;
    }
    throw corrupt(`a cell runs over the end of page ${page.number}`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const block of this.#blocks) if (block !== undefined) this.#cache.remove(block);
    this.#blocks = [];
    this.#source.close();
  }

  #load(number: number): Block {
    if (this.#closed) throw new SqliteError('CLOSED', `page ${number} wanted from a database that is closed`);
    this.#checkNumber(number);
    const place = Math.floor((number - 1) / this.#pagesPerBlock);
    const first = place * this.#pagesPerBlock;
    const pages = Math.min(this.#pagesPerBlock, this.pageCount - first);
    const bytes = Buffer.allocUnsafeSlow(pages * this.#pageSize);
    this.#read(bytes, first * this.#pageSize);
    const block = new Block(this.#blocks, place, bytes, pages);
    this.#cache.add(block);
    return block;
  }

  /** A page of a block, seen for the first time since the block was read. */
  #check(block: Block, place: number, number: number): Page {
    this.#checkNumber(number);
    const start = place * this.#pageSize;
    const page = new Page(number, block.bytes.subarray(start, start + this.#pageSize), this.usable);
    block.pages[place] = page;
    return page;
  }

  #checkNumber(number: number): void {
    if (number < 1 || number > this.pageCount) throw corrupt(`there is no page ${number} in ${this.pageCount}`);
  }

  #read(target: Buffer, position: number): void {
    let done = 0;
    while (done < target.length) {
      let length: number;
      try {
        length = this.#source.read(target, done, target.length - done, position + done);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new SqliteError('IO', `cannot read an SQLite file at ${position}: ${reason}`, { cause });
      }
      if (length <= 0) throw new SqliteError('TRUNCATED', `SQLite file ends at ${position + done}, it got shorter`);
      done += length;
    }
  }
}
