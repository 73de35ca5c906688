// The catalogs of the revision that a publication follows, by path: what they say and which revision they have.
import { rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ContentHash } from '../objects/hash.ts';
import { catalogFingerprint } from './catalog-fingerprint.ts';
import { PublishError, reason } from './errors.ts';
import type { ObjectFiles } from './object-files.ts';
import type { CatalogReference } from './tree-entry.ts';

export interface PreviousCatalog extends CatalogReference {
  readonly revision: number;
  readonly fingerprint: string;
}

/** Path (Latin-1, '' is the root) to catalog. @throws PublishError DAMAGED */
export function readPreviousCatalogs(objects: ObjectFiles, root: CatalogReference): Map<string, PreviousCatalog> {
  const catalogs = new Map<string, PreviousCatalog>();
  const pending: [string, CatalogReference][] = [['', root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [path, reference] = next;
    withCatalog(objects, reference.hash, (database, size) => {
      const revision = Number(readProperty(database, 'revision') ?? 0);
      catalogs.set(path, { hash: reference.hash, size, revision, fingerprint: catalogFingerprint(database) });
      pending.push(...nestedCatalogs(database));
    });
  }
  return catalogs;
}

/** Opens a catalog object as a database, for as long as `use` takes. @throws PublishError DAMAGED */
export function withCatalog<T>(
  objects: ObjectFiles,
  hash: ContentHash,
  use: (database: DatabaseSync, size: number) => T,
): T {
  const data = objects.read(hash, 'C');
  const file = objects.temporary();
  try {
    writeFileSync(file, data, { mode: 0o600 });
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return use(database, data.length);
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof PublishError) throw error;
    throw new PublishError('DAMAGED', `cannot read the catalog ${hash}: ${reason(error)}`, error);
  } finally {
    rmSync(file, { force: true });
  }
}

export function readProperty(database: DatabaseSync, key: string): string | undefined {
  const row = database.prepare('SELECT value FROM properties WHERE key = ?').get(key);
  return row === undefined ? undefined : String(row.value);
}

/** Paths (Latin-1) of the nested catalogs that a catalog names. */
export function nestedCatalogs(database: DatabaseSync): [string, CatalogReference][] {
  const rows = database.prepare('SELECT CAST(path AS BLOB) AS path, sha1, size FROM nested_catalogs').all();
  return rows.map((row) => {
    const hash = ContentHash.parse(String(row.sha1));
    if (hash === undefined) throw new Error(`${row.sha1} is not a hash`);
    const path = Buffer.from(row.path as Uint8Array).toString('latin1');
    return [path, { hash, size: Number(row.size) }];
  });
}
