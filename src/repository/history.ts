// The history: a SQLite database, schema 1.0, whose table `tags` names revisions of a repository: name, hash string of
// the root catalog, revision, timestamp, description; size since schema revision 1, branch since 3.
import { ContentHash } from '../objects/hash.ts';
import { Database } from '../sqlite/database.ts';
import type { PageSource } from '../sqlite/page-source.ts';
import { Row } from '../sqlite/row.ts';
import { readProperties } from './catalog-properties.ts';
import { dateText, printable, RepositoryError, reasonOf } from './errors.ts';

export interface Tag {
  readonly name: string;
  /** Root catalog. */
  readonly hash: ContentHash;
  readonly revision: number;
  /** last_modified of the root catalog, seconds since 1970. */
  readonly timestamp: number;
  readonly description: string;
  /** Bytes of the uncompressed root catalog; 0: unknown. */
  readonly size: number;
  /** '' is the main branch. */
  readonly branch: string;
}

/**
 * All tags, newest first; takes over `source` (client.md §4.1).
 * @throws RepositoryError BadHistory
 */
export function readHistory(source: PageSource): Tag[] {
  let database: Database | undefined;
  try {
    database = Database.open(source);
    const properties = readProperties(database);
    const schema = properties.get('schema');
    if (Number.parseFloat(schema ?? '') !== 1) throw new Error(`it has schema ${schema}, only 1.0 is read`);
    return readTags(database).sort((a, b) => b.timestamp - a.timestamp || b.revision - a.revision);
  } catch (cause) {
    throw new RepositoryError('BadHistory', `the list of tags cannot be used: ${reasonOf(cause)}`, { cause });
  } finally {
    database?.close();
  }
}

/** @throws RepositoryError NoSuchTag */
export function tagByName(tags: readonly Tag[], name: string): Tag {
  const tag = tags.find((candidate) => candidate.name === name);
  if (tag) return tag;
  const known = tags.slice(0, 5).map((candidate) => printable(candidate.name));
  const more = tags.length > known.length ? ', …' : '';
  const list = known.length > 0 ? `there are ${known.join(', ')}${more}` : 'it has none';
  throw new RepositoryError('NoSuchTag', `the repository has no tag '${printable(name)}' (${list})`);
}

/**
 * The newest revision of the main branch that was there at `seconds` since 1970 (client.md §4.2).
 * @throws RepositoryError NoSuchTag
 */
export function tagByDate(tags: readonly Tag[], seconds: number): Tag {
  let best: Tag | undefined;
  for (const tag of tags) {
    if (tag.branch !== '' || tag.timestamp > seconds) continue;
    if (!best || tag.revision > best.revision) best = tag;
  }
  if (best) return best;
  throw new RepositoryError('NoSuchTag', `the repository has no tag as old as ${dateText(seconds)}`);
}

/**
 * Seconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ`.
 * @throws RepositoryError BadDate
 */
export function parseTagDate(text: string): number {
  const milliseconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    throw new RepositoryError(
      'BadDate',
      `'${printable(text)}' is not a date: write it as 2026-01-31T18:00:00Z, in UTC`,
    );
  }
  return milliseconds / 1000;
}

function readTags(database: Database): Tag[] {
  const table = database.table('tags');
  const [name, hash, revision, timestamp] = ['name', 'hash', 'revision', 'timestamp'].map((key) =>
    table.column(key),
  ) as [number, number, number, number];
  const optional = (row: Row, key: string): number | undefined => {
    const column = table.columns.indexOf(key);
    return column < 0 || row.isNull(column) ? undefined : column;
  };
  const text = (row: Row, column: number | undefined): string =>
    column === undefined ? '' : row.bytes(column).toString('utf8');
  const tags: Tag[] = [];
  for (const row of table.scan(new Row())) {
    const rootHash = ContentHash.parse(row.latin1(hash));
    if (!rootHash) throw new Error(`the tag ${text(row, name)} names no root catalog`);
    const size = optional(row, 'size');
    tags.push({
      name: text(row, name),
      hash: rootHash,
      revision: row.integer(revision),
      timestamp: row.integer(timestamp),
      description: text(row, optional(row, 'description')),
      size: size === undefined ? 0 : row.integer(size),
      branch: text(row, optional(row, 'branch')),
    });
  }
  return tags;
}
