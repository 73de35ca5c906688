// The catalog of revision 0: an empty root directory and nothing that later revisions have (client.md §14.5).
import { readFileSync, rmSync } from 'node:fs';
import { writeCatalogFile } from './catalog-file.ts';
import { planCatalogs } from './catalog-plan.ts';
import { CATALOG_SCHEMA, CATALOG_SCHEMA_REVISION } from './catalog-schema.ts';
import { countEntry, newCounters } from './counters.ts';
import type { ObjectFiles } from './object-files.ts';
import type { CatalogReference, TreeEntry } from './tree-entry.ts';

/** Stores it; `now` in seconds since 1970. */
export async function storeFirstCatalog(objects: ObjectFiles, now: number): Promise<CatalogReference> {
  const root = emptyRoot(now);
  const self = newCounters();
  countEntry(self, root);
  const properties = {
    schema: CATALOG_SCHEMA,
    schema_revision: CATALOG_SCHEMA_REVISION,
    revision: '0',
    last_modified: String(now),
  };
  const file = objects.temporary();
  try {
    writeCatalogFile(file, {
      plan: planCatalogs(root),
      nested: [],
      counters: { self, subtree: newCounters() },
      properties,
      algorithm: objects.algorithm,
      compression: 'zlib',
    });
    const data = readFileSync(file);
    return { hash: await objects.store(data, 'C'), size: data.length };
  } finally {
    rmSync(file, { force: true });
  }
}

function emptyRoot(now: number): TreeEntry {
  return {
    path: '',
    name: '',
    parent: undefined,
    kind: 'directory',
    mode: 0o040755,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    size: 4096,
    mtime: BigInt(now),
    mtimeNs: 0,
    inode: '',
    target: '',
    xattrs: undefined,
    children: [],
    content: undefined,
    linkGroup: 0,
    linkCount: 1,
    extraFlags: 0,
  };
}
