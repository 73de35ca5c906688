// Counting what goes into a catalog's `statistics` table: each counter for the catalog itself and for all below it.
import { COUNTERS, type Counter } from '../repository/catalog-counters.ts';
import type { TreeEntry } from './tree-entry.ts';

export type Counters = Record<Counter, number>;

export interface CatalogCounters {
  readonly self: Counters;
  readonly subtree: Counters;
}

export function newCounters(): Counters {
  return Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counters;
}

export function addCounters(sum: Counters, more: Counters): void {
  for (const name of COUNTERS) sum[name] += more[name];
}

/** Rows of the whole tree, as statfs shows them. */
export function entriesIn({ self, subtree }: CatalogCounters): number {
  const rows = ({ regular, symlink, special, dir }: Counters) => regular + symlink + special + dir;
  return rows(self) + rows(subtree);
}

/** Counts one row. Mountpoints and nested roots are directories of both their catalogs. */
export function countEntry(counters: Counters, entry: TreeEntry): void {
  if (entry.xattrs !== undefined) counters.xattr++;
  if (entry.kind === 'directory') counters.dir++;
  else if (entry.kind === 'symlink') counters.symlink++;
  else if (entry.kind === 'special') counters.special++;
  else countFile(counters, entry);
}

function countFile(counters: Counters, entry: TreeEntry): void {
  counters.regular++;
  counters.file_size += entry.size;
  if (entry.content !== undefined && 'chunks' in entry.content) {
    counters.chunked++;
    counters.chunks += entry.content.chunks.length;
    counters.chunked_size += entry.size;
  }
}
