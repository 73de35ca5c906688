import type { PageCache } from './page-cache.ts';
import type { PageSource } from './page-source.ts';
import type { Table } from './table.ts';
export class Database {
  static open(_source: PageSource, _options?: { cachePages?: PageCache }): Database {
    throw new Error('not built yet');
  }
  hasTable(_name: string): boolean {
    throw new Error('not built yet');
  }
  table(_name: string): Table {
    throw new Error('not built yet');
  }
  close(): void {}
}
