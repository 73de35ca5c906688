import { corrupt, SqliteError } from './error.ts';
import { highHalf, isInteger, joinHalves, lowHalf, realValue, valueSize } from './integer.ts';
import type { Page } from './page.ts';
import type { Pager } from './pager.ts';
import type { RowLayout } from './row-layout.ts';
import { varint, varintLength } from './varint.ts';

/** Stands for the serial type of a column that is another name of the rowid: its value is not in the record. */
const ROWID = -1;

const NULL = 0;
const REAL = 7;

/**
 * One row of a table, filled by Table.seek and Table.scan and reused for any number of rows. Values are decoded when asked for.
 * Columns are numbered in the order of Table.columns; number -1, a column that the table lacks, is NULL in every row.
 * Wrong kinds of values throw SqliteError: an integer is never guessed out of text.
 */
export class Row {
  /** Exact; ±2^53 at most. */
  rowid = 0;
  #layout: RowLayout | undefined;
  #data: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #decoded = false;
  #types = new Int32Array(0);
  #offsets = new Int32Array(0);
  /** Payloads that are not in one piece on a page. */
  #assembled: Buffer = Buffer.alloc(0);

  isNull(column: number): boolean {
    return this.#type(column) === NULL;
  }

  /** Storage class of the value. A REAL column may hold integers: SQLite stores 2.0 as 2. */
  type(column: number): 'null' | 'integer' | 'real' | 'text' | 'blob' {
    const type = this.#type(column);
    if (type === NULL) return 'null';
    if (type === REAL) return 'real';
    if (type < 10) return 'integer';
    return type % 2 === 1 ? 'text' : 'blob';
  }

  /** An integer as a number; NULL is 0. Throws RANGE beyond ±2^53: use high and low there. */
  integer(column: number): number {
    const type = this.#integerType(column);
    if (type === ROWID) return this.rowid;
    const at = this.#offsets[column];
    if (type < 5) return lowHalf(this.#data, at, type);
    const value = joinHalves(highHalf(this.#data, at, type), lowHalf(this.#data, at, type));
    if (!Number.isSafeInteger(value)) throw new SqliteError('RANGE', `${this.#name(column)} is beyond ±2^53: ${value}`);
    return value;
  }

  /** Upper 32 bits of a 64-bit integer, as a signed number; NULL is 0. */
  high(column: number): number {
    const type = this.#integerType(column);
    return type === ROWID ? Math.floor(this.rowid / 0x1_0000_0000) : highHalf(this.#data, this.#offsets[column], type);
  }

  /** Lower 32 bits of a 64-bit integer, as a signed number; NULL is 0. */
  low(column: number): number {
    const type = this.#integerType(column);
    return type === ROWID ? this.rowid | 0 : lowHalf(this.#data, this.#offsets[column], type);
  }

  /** A real or an integer as the nearest double; NULL is 0. */
  real(column: number): number {
    if (this.#type(column) === REAL) return realValue(this.#data, this.#offsets[column]);
    return joinHalves(this.high(column), this.low(column));
  }

  /** A copy of the bytes of a TEXT or BLOB; NULL is empty. */
  bytes(column: number): Buffer {
    const size = this.#bytesSize(column);
    if (size === 0) return Buffer.alloc(0);
    const copy = Buffer.allocUnsafe(size);
    this.#data.copy(copy, 0, this.#offsets[column], this.#offsets[column] + size);
    return copy;
  }

  /** The bytes of a TEXT or BLOB, one character each; NULL is ''. */
  latin1(column: number): string {
    const size = this.#bytesSize(column);
    if (size === 0) return '';
    return this.#data.toString('latin1', this.#offsets[column], this.#offsets[column] + size);
  }

  /** Points the row at a record whose payload starts at `at` on a page. For Table only. */
  load(pager: Pager, layout: RowLayout, page: Page, at: number, size: number, rowid: number): void {
    pager.checkPayload(page, at, size, pager.tableLocal);
    this.rowid = rowid;
    this.#decoded = false;
    if (layout !== this.#layout) this.#reshape(layout);
    if (size <= pager.tableLocal) {
      this.#data = page.bytes;
      this.#start = at;
      this.#end = at + size;
    } else {
      this.#reserve(size);
      pager.assemble(page, at, size, pager.tableLocal, this.#assembled);
      this.#data = this.#assembled;
      this.#start = 0;
      this.#end = size;
    }
  }

  #reshape(layout: RowLayout): void {
    this.#layout = layout;
    if (this.#types.length < layout.columns.length) {
      this.#types = new Int32Array(layout.columns.length);
      this.#offsets = new Int32Array(layout.columns.length);
    }
  }

  #reserve(size: number): void {
    if (this.#assembled.length < size) this.#assembled = Buffer.allocUnsafeSlow(Math.max(1024, 2 * size));
  }

  #type(column: number): number {
    if (column < 0) return NULL;
    if (!this.#decoded) this.#decode();
    return this.#types[column];
  }

  #integerType(column: number): number {
    const type = this.#type(column);
    if (type === NULL || type === ROWID || isInteger(type)) return type;
    throw new SqliteError('TYPE', `${this.#name(column)} holds a ${this.type(column)} where an integer belongs`);
  }

  #bytesSize(column: number): number {
    const type = this.#type(column);
    if (type >= 12) return (type - 12) >>> 1;
    if (type === NULL) return 0;
    throw new SqliteError('TYPE', `${this.#name(column)} holds a ${this.type(column)} where text or a BLOB belongs`);
  }

  #name(column: number): string {
    return `column ${this.#layout?.columns[column]} of row ${this.rowid}`;
  }

  /** A record is the size of its header, a serial type for each value, and the values. */
  #decode(): void {
    const layout = this.#layout;
    if (layout === undefined) throw new SqliteError('TYPE', 'a row was read before it was filled');
    const data = this.#data;
    const end = this.#end;
    const columns = layout.columns.length;
    const valuesStart = this.#start + varint(data, this.#start);
    if (!(valuesStart <= end)) throw corrupt(`the record of row ${this.rowid} is shorter than its header`);
    let at = this.#start + varintLength(data, this.#start);
    let value = valuesStart;
    let column = 0;
    for (; at < valuesStart; column++) {
      let type = data[at];
      if (type < 0x80) {
        at++;
      } else {
        type = varint(data, at);
        at += varintLength(data, at);
      }
      const size = valueSize(type);
      if (type === 10 || type === 11 || !(value + size <= end))
        throw corrupt(`row ${this.rowid} has values beyond its record`);
      if (column < columns) {
        this.#types[column] = type;
        this.#offsets[column] = value;
      }
      value += size;
    }
    if (at !== valuesStart || value !== end) throw corrupt(`the header of row ${this.rowid} does not fit its record`);
    if (column < columns) this.#fillUp(layout, column);
    if (layout.rowidColumn >= 0) this.#types[layout.rowidColumn] = ROWID;
    this.#decoded = true;
  }

  /** Rows that are older than a column have no value for it: it has its default. */
  #fillUp(layout: RowLayout, from: number): void {
    let extra = 0;
    for (let i = from; i < layout.columns.length; i++) extra += layout.fallback(i).bytes.length;
    if (extra > 0) {
      const size = this.#end - this.#start;
      const record = Buffer.allocUnsafe(size + extra);
      this.#data.copy(record, 0, this.#start, this.#end);
      for (let i = 0; i < from; i++) this.#offsets[i] -= this.#start;
      this.#data = record;
      this.#start = 0;
      this.#end = size;
    }
    let at = this.#end;
    for (let i = from; i < layout.columns.length; i++) {
      const { type, bytes } = layout.fallback(i);
      this.#types[i] = type;
      this.#offsets[i] = at;
      if (bytes.length > 0) bytes.copy(this.#data, at);
      at += bytes.length;
    }
  }
}
