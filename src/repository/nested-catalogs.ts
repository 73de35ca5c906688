// The tables `nested_catalogs` and `bind_mountpoints` of a catalog: path, hash string (in the column "sha1", whatever the
// algorithm) and size of each catalog attached directly below this one.
import { ContentHash } from '../objects/hash.ts';
import type { Database } from '../sqlite/database.ts';
import { Row } from '../sqlite/row.ts';

export interface NestedCatalog {
  /** The null hash where the row names no usable one: such a catalog cannot be attached. */
  readonly hash: ContentHash;
  /** Bytes of the uncompressed database; 0: unknown. */
  readonly size: number;
}

const NO_HASH = new ContentHash('sha1', '0'.repeat(40));

/** By path as the catalog spells it (client.md §3.5), in Latin-1. */
export function readNestedCatalogs(database: Database, schemaRevision: number): Map<string, NestedCatalog> {
  const nested = new Map<string, NestedCatalog>();
  readTable(database, 'nested_catalogs', schemaRevision >= 1, nested);
  if (schemaRevision >= 4) readTable(database, 'bind_mountpoints', true, nested);
  return nested;
}

function readTable(database: Database, name: string, hasSize: boolean, into: Map<string, NestedCatalog>): void {
  const table = database.table(name);
  const path = table.column('path');
  const hash = table.column('sha1');
  const size = hasSize ? table.column('size') : -1;
  for (const row of table.scan(new Row())) {
    into.set(row.latin1(path), {
      hash: (row.isNull(hash) ? undefined : ContentHash.parse(row.latin1(hash))) ?? NO_HASH,
      size: size < 0 || row.isNull(size) ? 0 : Math.max(0, row.integer(size)),
    });
  }
}
