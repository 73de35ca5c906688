import { corrupt, SqliteError } from './error.ts';
import { compareInteger, highHalf, isInteger, joinHalves, lowHalf, valueSize } from './integer.ts';
import type { Page } from './page.ts';
import { MAX_DEPTH, type Pager } from './pager.ts';
import { varint, varintLength } from './varint.ts';

/**
 * An index whose first two columns are 64-bit integers, given as halves of 32 bits: the upper as a signed number, the lower
 * either way. A b-tree of records (first column, second column, …, rowid), in this order.
 */
export class Index {
  readonly #pager: Pager;
  readonly #root: number;
  /** The record that was looked at last. */
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #visits = 0;

  /** For Table only. */
  constructor(pager: Pager, root: number) {
    this.#pager = pager;
    this.#root = root;
  }

  /** Rowid of the first entry whose first two columns are these; 0 if there is none. Rowids below 1 throw RANGE. */
  first(high1: number, low1: number, high2: number, low2: number): number {
    let found = 0;
    let page = this.#pager.page(this.#root, false, true);
    for (let depth = 0; ; depth++) {
      if (depth === MAX_DEPTH) throw corrupt(`the tree of page ${this.#root} is too deep`);
      let low = 0;
      let high = page.count;
      while (low < high) {
        const middle = (low + high) >>> 1;
        const order = this.#compare(page, middle, high1, low1, high2, low2);
        if (order < 0) {
          low = middle + 1;
        } else {
          high = middle;
          if (order === 0) {
            found = this.#rowid();
            if (found < 1)
              throw new SqliteError('RANGE', `rowid ${found} in an index; only positive ones are read here`);
          }
        }
      }
      if (page.leaf) return found;
      page = this.#pager.page(page.child(low), false, false);
    }
  }

  /** Appends the rowids of all entries whose first two columns are these, in the order of the index. */
  all(high1: number, low1: number, high2: number, low2: number, into: number[]): void {
    this.#visits = 0;
    this.#collect(this.#pager.page(this.#root, false, true), 0, high1, low1, high2, low2, into);
  }

  /** False when an entry beyond the wanted ones was met. */
  #collect(
    page: Page,
    depth: number,
    high1: number,
    low1: number,
    high2: number,
    low2: number,
    into: number[],
  ): boolean {
    if (depth === MAX_DEPTH || ++this.#visits > this.#pager.pageCount) {
      throw corrupt(`the tree of page ${this.#root} leads back into itself`);
    }
    let low = 0;
    let high = page.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(page, middle, high1, low1, high2, low2) < 0) low = middle + 1;
      else high = middle;
    }
    for (let cell = low; cell <= page.count; cell++) {
      if (!page.leaf) {
        const child = this.#pager.page(page.child(cell), false, false);
        if (!this.#collect(child, depth + 1, high1, low1, high2, low2, into)) return false;
      }
      if (cell < page.count) {
        if (this.#compare(page, cell, high1, low1, high2, low2) !== 0) return false;
        into.push(this.#rowid());
      }
    }
    return true;
  }

  /** Order of a cell's entry against the wanted one: negative when it comes before. */
  #compare(page: Page, cell: number, high1: number, low1: number, high2: number, low2: number): number {
    this.#load(page, cell);
    const bytes = this.#bytes;
    const start = this.#start;
    const headerEnd = start + varint(bytes, start);
    const first = start + varintLength(bytes, start);
    const type1 = varint(bytes, first);
    const second = first + varintLength(bytes, first);
    const type2 = varint(bytes, second);
    const value2 = headerEnd + valueSize(type1);
    if (!(second < headerEnd && value2 + valueSize(type2) <= this.#end) || type1 === 10 || type1 === 11) {
      throw corrupt(`an index entry on page ${page.number} is shorter than its values`);
    }
    const order = compareInteger(bytes, headerEnd, type1, high1, low1);
    return order !== 0 ? order : compareInteger(bytes, value2, type2, high2, low2);
  }

  /** Index cell: left child (4 bytes, interior pages only), payload size, payload. */
  #load(page: Page, cell: number): void {
    const bytes = page.bytes;
    let at = page.cell(cell);
    if (!page.leaf) at += 4;
    const size = varint(bytes, at);
    at += varintLength(bytes, at);
    const pager = this.#pager;
    pager.checkPayload(page, at, size, pager.indexLocal);
    if (size <= pager.indexLocal) {
      this.#bytes = bytes;
      this.#start = at;
      this.#end = at + size;
    } else {
      const whole = Buffer.allocUnsafe(size);
      pager.assemble(page, at, size, pager.indexLocal, whole);
      this.#bytes = whole;
      this.#start = 0;
      this.#end = size;
    }
  }

  /** Last value of the record that was looked at. */
  #rowid(): number {
    const bytes = this.#bytes;
    const headerEnd = this.#start + varint(bytes, this.#start);
    let value = headerEnd;
    let type = 0;
    let size = 0;
    let at = this.#start + varintLength(bytes, this.#start);
    while (at < headerEnd) {
      value += size;
      type = varint(bytes, at);
      size = valueSize(type);
      at += varintLength(bytes, at);
    }
    if (at !== headerEnd || value + size !== this.#end || !isInteger(type))
      throw corrupt('an index entry has no rowid');
    const rowid = joinHalves(highHalf(bytes, value, type), lowHalf(bytes, value, type));
    if (!Number.isSafeInteger(rowid)) throw new SqliteError('RANGE', `rowid ${rowid} is beyond ±2^53, not read here`);
    return rowid;
  }
}
