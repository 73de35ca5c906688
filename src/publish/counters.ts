// The twelve counters of a catalog's `statistics` table, of the catalog itself (self_) and of all nested catalogs below
// it (subtree_). All 24 rows have to exist (client.md §3.9).
import type { TreeEntry } from './tree-entry.ts';

export const COUNTER_NAMES = [
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

export type Counters = Record<(typeof COUNTER_NAMES)[number], number>;

export interface CatalogCounters {
  readonly self: Counters;
  readonly subtree: Counters;
}

export function newCounters(): Counters {
  return Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Counters;
}

export function addCounters(sum: Counters, more: Counters): void {
  for (const name of COUNTER_NAMES) sum[name] += more[name];
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
