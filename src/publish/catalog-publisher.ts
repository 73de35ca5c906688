// Writes the catalogs of a new revision, nested ones before those that name them. One that says the same as before
// keeps its hash, and so do then the rows of its parent (client.md §14.11).
import { readFileSync, rmSync } from 'node:fs';
import type { Compression } from '../objects/object.ts';
import { type CatalogContent, writeCatalogFile } from './catalog-file.ts';
import { fingerprintOfFile } from './catalog-fingerprint.ts';
import type { CatalogPlan } from './catalog-plan.ts';
import { CATALOG_SCHEMA, CATALOG_SCHEMA_REVISION } from './catalog-schema.ts';
import { addCounters, type CatalogCounters, countEntry, newCounters } from './counters.ts';
import type { ObjectFiles } from './object-files.ts';
import type { PreviousCatalog } from './previous-catalogs.ts';
import type { CatalogReference } from './tree-entry.ts';

export interface CatalogsOptions {
  readonly objects: ObjectFiles;
  readonly compression: Compression;
  readonly previous: ReadonlyMap<string, PreviousCatalog>;
  /** Seconds since 1970. */
  readonly now: number;
  /** Of the root catalog; nested ones count their own changes. */
  readonly revision: number;
  /** Seconds. */
  readonly ttl: number;
}

export interface PublishedCatalog extends CatalogReference {
  /** Whether it is a new object. */
  readonly changed: boolean;
  readonly counters: CatalogCounters;
  /** Catalogs in it and below, itself included, and how many of them are new objects. */
  readonly total: number;
  readonly written: number;
}

/** What `previous_revision` of a catalog without one says. */
const NO_HASH = '0'.repeat(40);

/** Stores the plan's catalog and all below. */
export async function publishCatalogs(plan: CatalogPlan, options: CatalogsOptions): Promise<PublishedCatalog> {
  const nested: PublishedCatalog[] = [];
  for (const child of plan.nested) nested.push(await publishCatalogs(child, options));
  const counters = countCatalog(plan, nested);
  const total = nested.reduce((sum, child) => sum + child.total, 1);
  const written = nested.reduce((sum, child) => sum + child.written, 0);
  const { objects, previous } = options;
  const { path } = plan.root;
  const before = previous.get(path);
  const file = objects.temporary();
  try {
    writeCatalogFile(file, { plan, nested, counters, ...propertiesAndFormat(path, before, options) });
    if (before !== undefined && fingerprintOfFile(file) === before.fingerprint) {
      return { hash: before.hash, size: before.size, changed: false, counters, total, written };
    }
    const data = readFileSync(file);
    const hash = await objects.store(data, 'C');
    return { hash, size: data.length, changed: true, counters, total, written: written + 1 };
  } finally {
    rmSync(file, { force: true });
  }
}

function propertiesAndFormat(
  path: string,
  before: PreviousCatalog | undefined,
  { objects, compression, now, ttl, revision }: CatalogsOptions,
): Pick<CatalogContent, 'properties' | 'algorithm' | 'compression'> {
  const properties: Record<string, string> = { schema: CATALOG_SCHEMA, schema_revision: CATALOG_SCHEMA_REVISION };
  if (path === '') properties.TTL = String(ttl);
  else properties.root_prefix = path;
  properties.last_modified = String(now);
  properties.revision = String(path === '' ? revision : (before?.revision ?? 0) + 1);
  properties.previous_revision = before?.hash.toString() ?? NO_HASH;
  return { properties, algorithm: objects.algorithm, compression };
}

function countCatalog(plan: CatalogPlan, nested: readonly PublishedCatalog[]): CatalogCounters {
  const self = newCounters();
  const subtree = newCounters();
  countEntry(self, plan.root);
  for (const entry of plan.entries) countEntry(self, entry);
  self.nested = plan.nested.length;
  for (const child of nested) {
    addCounters(subtree, child.counters.self);
    addCounters(subtree, child.counters.subtree);
  }
  return { self, subtree };
}
