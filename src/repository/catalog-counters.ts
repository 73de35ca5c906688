// The table `statistics` of a catalog: how many entries of each kind are in it (`self_`) and in all catalogs nested below
// it at any depth (`subtree_`).
import type { Database } from '../sqlite/database.ts';
import { Row } from '../sqlite/row.ts';
import { RepositoryError } from './errors.ts';

export const COUNTERS = [
  'regular',
  'symlink',
  'special',
  'dir',
  'nested',
  'chunked',
  'chunks',
  'file_size',
  'chunked_size',
  'xattr',
  'external',
  'external_file_size',
] as const;

export type Counter = (typeof COUNTERS)[number];

/** From this schema revision on all counters are there. */
const COMPLETE_SINCE = 5;
const ENTRIES: readonly Counter[] = ['regular', 'symlink', 'special', 'dir'];

/** Meaning of each: client.md §3.9. */
export class CatalogCounters {
  readonly #values: ReadonlyMap<string, number>;

  constructor(values: ReadonlyMap<string, number>) {
    this.#values = values;
  }

  self(counter: Counter): number {
    return this.#values.get(`self_${counter}`) ?? 0;
  }

  /** Without the catalog itself. */
  subtree(counter: Counter): number {
    return this.#values.get(`subtree_${counter}`) ?? 0;
  }

  /** Rows of this catalog. */
  get selfEntries(): number {
    return ENTRIES.reduce((sum, counter) => sum + this.self(counter), 0);
  }

  /** Rows of this catalog and all below it. */
  get allEntries(): number {
    return ENTRIES.reduce((sum, counter) => sum + this.self(counter) + this.subtree(counter), 0);
  }
}

/** @throws RepositoryError BadCatalog when one is missing that this schema revision has */
export function readCounters(database: Database, schemaRevision: number): CatalogCounters {
  const table = database.table('statistics');
  const name = table.column('counter');
  const value = table.column('value');
  const values = new Map<string, number>();
  for (const row of table.scan(new Row())) values.set(row.latin1(name), row.isNull(value) ? 0 : row.integer(value));
  if (schemaRevision >= COMPLETE_SINCE) {
    const names = COUNTERS.flatMap((counter) => [`self_${counter}`, `subtree_${counter}`]);
    const missing = names.find((counter) => !values.has(counter));
    if (missing) throw new RepositoryError('BadCatalog', `the catalog lacks the counter ${missing}`);
  }
  return new CatalogCounters(values);
}
