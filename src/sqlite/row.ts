/** One row of a table, filled by Table.seek and Table.scan; reused for any number of rows. */
export class Row {
  rowid = 0;
  isNull(_column: number): boolean {
    throw new Error('not built yet');
  }
  integer(_column: number): number {
    throw new Error('not built yet');
  }
  high(_column: number): number {
    throw new Error('not built yet');
  }
  low(_column: number): number {
    throw new Error('not built yet');
  }
  real(_column: number): number {
    throw new Error('not built yet');
  }
  bytes(_column: number): Buffer {
    throw new Error('not built yet');
  }
  latin1(_column: number): string {
    throw new Error('not built yet');
  }
}
