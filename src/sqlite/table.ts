import type { Index } from './index.ts';
import type { Row } from './row.ts';
export class Table {
  readonly columns: readonly string[] = [];
  column(_name: string): number {
    throw new Error('not built yet');
  }
  seek(_rowid: number, _row: Row): boolean {
    throw new Error('not built yet');
  }
  scan(_row: Row): Generator<Row> {
    throw new Error('not built yet');
  }
  maxRowid(): number {
    throw new Error('not built yet');
  }
  index(_columns: readonly string[]): Index | undefined {
    throw new Error('not built yet');
  }
}
