// The reflog `.cvmfsreflog`: every root catalog and history that was ever published, for the server's tools. A plain
// database whose hash is in the manifest (client.md §14.7).
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ContentHash } from '../objects/hash.ts';
import { DATABASE_SETTINGS, PROPERTIES_TABLE } from './catalog-schema.ts';
import { PublishError, reason } from './errors.ts';
import { type ObjectFiles, writeAtomically } from './object-files.ts';

export const REFLOG = '.cvmfsreflog';

/** Object types in the order of their numbers. */
export const REFLOG_TYPES = ['catalog', 'certificate', 'history', 'metainfo'] as const;

/** One hash of each type; those of the manifest that is about to be signed. */
export type ReflogEntries = Partial<Record<(typeof REFLOG_TYPES)[number], ContentHash>>;

interface Row {
  readonly hash: string;
  readonly type: number;
  readonly timestamp: number;
}

/** Adds the entries (or gives them a fresh time, seconds since 1970), replaces the file, returns its hash. */
export function updateReflog(objects: ObjectFiles, fqrn: string, entries: ReflogEntries, now: number): ContentHash {
  const path = join(objects.directory, REFLOG);
  const rows = new Map(readRows(path).map((row) => [row.hash, row]));
  REFLOG_TYPES.forEach((name, type) => {
    const hash = entries[name]?.toString();
    if (hash !== undefined) rows.set(hash, { hash, type, timestamp: now });
  });
  const file = objects.temporary();
  try {
    writeRows(file, fqrn, [...rows.values()]);
    const data = readFileSync(file);
    writeAtomically(objects.directory, path, data);
    return ContentHash.of(objects.algorithm, data);
  } finally {
    rmSync(file, { force: true });
  }
}

function readRows(path: string): Row[] {
  if (!existsSync(path)) return [];
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const rows = database.prepare('SELECT hash, type, timestamp FROM refs').all();
      return rows.map((row) => ({
        hash: String(row.hash),
        type: Number(row.type),
        timestamp: Number(row.timestamp),
      }));
    } finally {
      database.close();
    }
  } catch (error) {
    throw new PublishError('DAMAGED', `cannot read the reflog ${path}: ${reason(error)}`, error);
  }
}

function writeRows(file: string, fqrn: string, rows: readonly Row[]): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(`${DATABASE_SETTINGS} BEGIN; ${PROPERTIES_TABLE}
      CREATE TABLE refs (hash TEXT, type INTEGER, timestamp INTEGER, CONSTRAINT pk_refs PRIMARY KEY (hash));`);
    const property = database.prepare('INSERT INTO properties (key, value) VALUES (?, ?)');
    property.run('schema', '1.0');
    property.run('schema_revision', '0');
    property.run('fqrn', fqrn);
    const insert = database.prepare('INSERT INTO refs (hash, type, timestamp) VALUES (?, ?, ?)');
    for (const { hash, type, timestamp } of rows) insert.run(hash, type, timestamp);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}
