import type { TableDefinition } from './create-table.ts';
import { corrupt } from './error.ts';
import { Index } from './index.ts';
import { type SchemaIndex, usableIndex } from './index-choice.ts';
import type { Page } from './page.ts';
import { MAX_DEPTH, type Pager } from './pager.ts';
import type { Row } from './row.ts';
import { RowLayout } from './row-layout.ts';
import { rowidVarint, varint, varintLength } from './varint.ts';

/** A table: a b-tree of rows in the order of their rowids. */
export class Table {
  /** Lower case, in declared order. */
  readonly columns: readonly string[];
  readonly #pager: Pager;
  readonly #root: number;
  readonly #layout: RowLayout;
  readonly #indexes: readonly SchemaIndex[];
  readonly #opened = new Map<SchemaIndex, Index>();

  /** For Database only. */
  constructor(pager: Pager, root: number, definition: TableDefinition, indexes: readonly SchemaIndex[]) {
    this.#pager = pager;
    this.#root = root;
    this.#layout = new RowLayout(definition);
    this.#indexes = indexes;
    this.columns = this.#layout.columns;
  }

  /** Number of a column; -1 if the table lacks it, which rows take for NULL. */
  column(name: string): number {
    return this.columns.indexOf(name.toLowerCase());
  }

  /** Fills `row` with the row of this rowid; false (and `row` as before) if there is none. */
  seek(rowid: number, row: Row): boolean {
    let page = this.#page(this.#root, true);
    for (let depth = 0; !page.leaf; depth++) {
      if (depth === MAX_DEPTH) throw corrupt(`the tree of page ${this.#root} is too deep`);
      page = this.#page(page.child(this.#lowerBound(page, rowid)), false);
    }
    const cell = this.#lowerBound(page, rowid);
    if (cell === page.count || this.#rowid(page, cell) !== rowid) return false;
    this.#load(page, cell, rowid, row);
    return true;
  }

  /** Every row, ascending by rowid; the same `row` object each time. (Ascending order is what ends a walk in circles.) */
  *scan(row: Row): Generator<Row, void, void> {
    const pages: Page[] = [this.#page(this.#root, true)];
    const next: number[] = [0];
    let previous = Number.NEGATIVE_INFINITY;
    for (let depth = 0; depth >= 0; ) {
      const page = pages[depth];
      const cell = next[depth]++;
      if (page.leaf ? cell >= page.count : cell > page.count) {
        depth--;
      } else if (page.leaf) {
        const rowid = this.#rowid(page, cell);
        if (rowid <= previous) throw corrupt(`row ${rowid} follows row ${previous} in the tree of page ${this.#root}`);
        previous = rowid;
        this.#load(page, cell, rowid, row);
        yield row;
      } else {
        if (++depth > MAX_DEPTH) throw corrupt(`the tree of page ${this.#root} leads back into itself`);
        pages[depth] = this.#page(page.child(cell), false);
        next[depth] = 0;
      }
    }
  }

  /** The largest rowid, without a scan; 0 for an empty table. */
  maxRowid(): number {
    let page = this.#page(this.#root, true);
    for (let depth = 0; !page.leaf; depth++) {
      if (depth === MAX_DEPTH) throw corrupt(`the tree of page ${this.#root} is too deep`);
      page = this.#page(page.right, false);
    }
    return page.count === 0 ? 0 : this.#rowid(page, page.count - 1);
  }

  /**
   * An index whose leading columns are these, ascending, over all rows: of a PRIMARY KEY, a UNIQUE constraint or CREATE INDEX.
   * undefined if there is none.
   */
  index(columns: readonly string[]): Index | undefined {
    const found = usableIndex(this.#indexes, columns);
    if (found === undefined) return undefined;
    let index = this.#opened.get(found);
    if (index === undefined) {
      index = new Index(this.#pager, found.root);
      this.#opened.set(found, index);
    }
    return index;
  }

  #page(number: number, root: boolean): Page {
    return this.#pager.page(number, true, root);
  }

  /** The first cell whose rowid is not below `rowid`; the number of cells if there is none. */
  #lowerBound(page: Page, rowid: number): number {
    let low = 0;
    let high = page.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#rowid(page, middle) < rowid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Leaf cell: payload size, rowid, payload. Interior cell: left child (4 bytes), rowid. */
  #rowid(page: Page, cell: number): number {
    const at = page.cell(cell);
    return rowidVarint(page.bytes, page.leaf ? at + varintLength(page.bytes, at) : at + 4);
  }

  #load(page: Page, cell: number, rowid: number, row: Row): void {
    const bytes = page.bytes;
    let at = page.cell(cell);
    const size = varint(bytes, at);
    at += varintLength(bytes, at);
    at += varintLength(bytes, at);
    row.load(this.#pager, this.#layout, page, at, size, rowid);
  }
}
