// Writes one catalog as an SQLite file (client.md §14.3 to §14.6).
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { HashAlgorithm } from '../objects/hash.ts';
import type { Compression } from '../objects/object.ts';
import { COUNTERS } from '../repository/catalog-counters.ts';
import {
  contentFlags,
  FLAG_CHUNKED,
  FLAG_DIRECTORY,
  FLAG_FILE,
  FLAG_NESTED_MOUNTPOINT,
  FLAG_NESTED_ROOT,
  FLAG_SPECIAL,
  FLAG_SYMLINK,
} from '../repository/entry-flags.ts';
import { hashPath, newPathHash } from '../repository/path-hash.ts';
import { type CatalogPlan, hasMarker } from './catalog-plan.ts';
import { CATALOG_TABLES, DATABASE_SETTINGS } from './catalog-schema.ts';
import type { CatalogCounters } from './counters.ts';
import { PublishError } from './errors.ts';
import type { CatalogReference, TreeEntry } from './tree-entry.ts';

export interface CatalogContent {
  readonly plan: CatalogPlan;
  /** One for each of the plan's nested catalogs, in their order. */
  readonly nested: readonly CatalogReference[];
  readonly counters: CatalogCounters;
  /** Values in Latin-1. */
  readonly properties: Readonly<Record<string, string>>;
  readonly algorithm: HashAlgorithm;
  readonly compression: Compression;
}

const ROW = `INSERT INTO catalog (md5path_1, md5path_2, parent_1, parent_2, hardlinks, hash, size, mode, mtime, mtimens, flags, name,
  symlink, uid, gid, xattr) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?)`;
const ROOT_ROW_OF_REPOSITORY = [0n, 0n] as const;

/** Writes the database file at `path`, which must not exist. */
export function writeCatalogFile(path: string, content: CatalogContent): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(DATABASE_SETTINGS);
    database.exec('BEGIN');
    database.exec(CATALOG_TABLES);
    writeRows(database, content);
    writeReferences(database, content);
    writeCounters(database, content.counters);
    const property = database.prepare('INSERT INTO properties (key, value) VALUES (?, CAST(? AS TEXT))');
    for (const [key, value] of Object.entries(content.properties)) property.run(key, asText(value));
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

function writeRows(database: DatabaseSync, content: CatalogContent): void {
  const row = database.prepare(ROW);
  const chunk = database.prepare(
    'INSERT INTO chunks (md5path_1, md5path_2, offset, size, hash) VALUES (?, ?, ?, ?, ?)',
  );
  const { root, entries } = content.plan;
  // Entries of a directory follow each other, so its key is worked out once.
  let parent: TreeEntry | undefined;
  let parentKey: readonly [bigint, bigint] = ROOT_ROW_OF_REPOSITORY;
  for (const entry of [root, ...entries]) {
    if (entry.parent !== parent) {
      parent = entry.parent;
      parentKey = parent === undefined ? ROOT_ROW_OF_REPOSITORY : pathKey(parent.path);
    }
    const key = pathKey(entry.path);
    row.run(...rowValues(entry, key, parentKey, content));
    if (entry.content !== undefined && 'chunks' in entry.content) {
      for (const { offset, size, hash } of entry.content.chunks) chunk.run(...key, offset, size, hash.digest);
    }
  }
}

function rowValues(
  entry: TreeEntry,
  key: readonly [bigint, bigint],
  parentKey: readonly [bigint, bigint],
  content: CatalogContent,
): SQLInputValue[] {
  return [
    ...key,
    ...parentKey,
    (BigInt(entry.linkGroup) << 32n) | BigInt(entry.linkCount),
    entry.content !== undefined && 'hash' in entry.content ? entry.content.hash.digest : null,
    entry.size,
    entry.mode,
    entry.mtime,
    entry.mtimeNs,
    flagsOf(entry, content),
    asText(entry.name),
    asText(entry.target),
    entry.uid,
    entry.gid,
    entry.xattrs ?? null,
  ];
}

function flagsOf(entry: TreeEntry, { plan, algorithm, compression }: CatalogContent): number {
  if (entry.kind === 'directory') return directoryFlags(entry, plan) | entry.extraFlags;
  if (entry.kind === 'symlink') return FLAG_FILE | FLAG_SYMLINK;
  if (entry.kind === 'special') return FLAG_FILE | FLAG_SPECIAL;
  if (entry.content === undefined) throw new PublishError('TREE', `the data of ${entry.path} were not stored`);
  const chunked = 'chunks' in entry.content ? FLAG_CHUNKED : 0;
  return FLAG_FILE | chunked | contentFlags(algorithm, compression);
}

function directoryFlags(entry: TreeEntry, plan: CatalogPlan): number {
  if (entry === plan.root) return entry.path === '' ? FLAG_DIRECTORY : FLAG_DIRECTORY | FLAG_NESTED_ROOT;
  return hasMarker(entry) ? FLAG_DIRECTORY | FLAG_NESTED_MOUNTPOINT : FLAG_DIRECTORY;
}

function writeReferences(database: DatabaseSync, { plan, nested }: CatalogContent): void {
  const mountpoint = database.prepare('INSERT INTO nested_catalogs (path, sha1, size) VALUES (CAST(? AS TEXT), ?, ?)');
  plan.nested.forEach((child, i) => {
    const { hash, size } = nested[i]!;
    mountpoint.run(asText(child.root.path), hash.toString(), size);
  });
  const bind = database.prepare('INSERT INTO bind_mountpoints (path, sha1, size) VALUES (CAST(? AS TEXT), ?, ?)');
  for (const { path, bound } of plan.entries) {
    if (bound !== undefined) bind.run(asText(path), bound.hash.toString(), bound.size);
  }
}

function writeCounters(database: DatabaseSync, counters: CatalogCounters): void {
  const counter = database.prepare('INSERT INTO statistics (counter, value) VALUES (?, ?)');
  for (const scope of ['self', 'subtree'] as const) {
    for (const name of COUNTERS) counter.run(`${scope}_${name}`, counters[scope][name]);
  }
}

const scratch = newPathHash();

/** md5path_1 and md5path_2 of a path. */
export function pathKey(path: string): readonly [bigint, bigint] {
  hashPath(path, scratch);
  return [signed64(scratch.hi1, scratch.lo1), signed64(scratch.hi2, scratch.lo2)];
}

function signed64(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

const LATIN1_ONLY = /[\x80-\xff]/;

/** For CAST(? AS TEXT): bytes that are not ASCII must not pass through a decoder. (An empty Buffer would become NULL.) */
function asText(bytes: string): string | Buffer {
  return LATIN1_ONLY.test(bytes) ? Buffer.from(bytes, 'latin1') : bytes;
}
