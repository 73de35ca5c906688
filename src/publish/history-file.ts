// The history: the database of named tags, schema 1.0 revision 3. A new one is written whenever a tag changes
// (client.md §14.7).
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ContentHash } from '../objects/hash.ts';
import type { Manifest } from '../repository/manifest.ts';
import { DATABASE_SETTINGS, PROPERTIES_TABLE } from './catalog-schema.ts';
import { PublishError, reason } from './errors.ts';
import type { ObjectFiles } from './object-files.ts';

export interface Tag {
  readonly name: string;
  /** Root catalog. */
  readonly hash: ContentHash;
  /** Bytes of the uncompressed root catalog. */
  readonly size: number;
  readonly revision: number;
  /** last_modified of the root catalog, seconds since 1970. */
  readonly timestamp: number;
  readonly description: string;
}

export const TRUNK = 'trunk';
export const TRUNK_PREVIOUS = 'trunk-previous';

const TABLES = `
${PROPERTIES_TABLE}
CREATE TABLE branches (branch TEXT, parent TEXT, initial_revision INTEGER, CONSTRAINT pk_branch PRIMARY KEY (branch),
  FOREIGN KEY (parent) REFERENCES branches (branch),
  CHECK ((branch <> '') OR (parent IS NULL)), CHECK ((branch = '') OR (parent IS NOT NULL)));
CREATE TABLE tags (name TEXT, hash TEXT, revision INTEGER, timestamp INTEGER, channel INTEGER, description TEXT,
  size INTEGER, branch TEXT, CONSTRAINT pk_tags PRIMARY KEY (name), FOREIGN KEY (branch) REFERENCES branches (branch));
CREATE TABLE recycle_bin (hash TEXT, flags INTEGER, CONSTRAINT pk_hash PRIMARY KEY (hash));
INSERT INTO branches (branch, parent, initial_revision) VALUES ('', NULL, 0);
`;

/** The tags of a history, newest first; none without a history. @throws PublishError DAMAGED */
export function readTags(objects: ObjectFiles, history: ContentHash | undefined): Tag[] {
  if (history === undefined) return [];
  const data = objects.read(history, 'H');
  const file = objects.temporary();
  try {
    writeFileSync(file, data, { mode: 0o600 });
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database.prepare('SELECT * FROM tags ORDER BY timestamp DESC, revision DESC, name').all().map(tagOfRow);
    } finally {
      database.close();
    }
  } catch (error) {
    throw new PublishError('DAMAGED', `cannot read the history ${history}: ${reason(error)}`, error);
  } finally {
    rmSync(file, { force: true });
  }
}

/** Stores a history with these tags. */
export async function storeHistory(
  objects: ObjectFiles,
  fqrn: string,
  tags: readonly Tag[],
  previous: ContentHash | undefined,
): Promise<ContentHash> {
  const file = objects.temporary();
  try {
    const database = new DatabaseSync(file);
    try {
      database.exec(`${DATABASE_SETTINGS} BEGIN; ${TABLES}`);
      const property = database.prepare('INSERT INTO properties (key, value) VALUES (?, ?)');
      property.run('schema', '1.0');
      property.run('schema_revision', '3');
      property.run('fqrn', fqrn);
      if (previous !== undefined) property.run('previous_revision', previous.toString());
      const insert = database.prepare(
        `INSERT INTO tags (name, hash, revision, timestamp, channel, description, size, branch)
         VALUES (?, ?, ?, ?, 0, ?, ?, '')`,
      );
      for (const tag of tags) {
        insert.run(tag.name, tag.hash.toString(), tag.revision, tag.timestamp, tag.description, tag.size);
      }
      database.exec('COMMIT');
    } finally {
      database.close();
    }
    return await objects.store(readFileSync(file), 'H');
  } finally {
    rmSync(file, { force: true });
  }
}

/** A revision, as tags say it. */
export type Head = Omit<Tag, 'name' | 'description'>;

/** The revision that the manifest shows. */
export function headTag(tags: readonly Tag[], manifest: Manifest): Head {
  const { rootHash: hash, rootSize: size, revision, publishTime } = manifest;
  const tag = tags.find((known) => known.hash.equals(hash));
  return { hash, size, revision, timestamp: tag?.timestamp ?? publishTime };
}

/** The tags after a publication of `head`: trunk and trunk-previous move on. */
export function advanceTags(tags: readonly Tag[], head: Head): Tag[] {
  const named = tags.filter(({ name }) => name !== TRUNK && name !== TRUNK_PREVIOUS);
  const trunk = tags.find(({ name }) => name === TRUNK);
  if (trunk !== undefined) named.push({ ...trunk, name: TRUNK_PREVIOUS, description: 'default undo target' });
  named.push({ ...head, name: TRUNK, description: 'current HEAD' });
  return named;
}

export interface NewTag {
  readonly name: string;
  readonly description?: string;
}

/** @throws PublishError TAG when the name is taken, reserved, or no name. */
export function addTag(tags: readonly Tag[], head: Head, tag: NewTag): Tag[] {
  const { name, description = '' } = tag;
  if (!/^[\w.:+-]+$/.test(name)) {
    throw new PublishError('TAG', `cannot make the tag '${name}': use letters, digits and . _ : + - only`);
  }
  if (name === TRUNK || name === TRUNK_PREVIOUS) throw new PublishError('TAG', `the tag ${name} is kept automatically`);
  if (tags.some((existing) => existing.name === name)) {
    throw new PublishError('TAG', `cannot make the tag ${name}: it exists, remove it first or take another name`);
  }
  return [...tags, { ...head, name, description }];
}

/** @throws PublishError TAG when there is none or it is automatic. */
export function removeTag(tags: readonly Tag[], name: string): Tag[] {
  if (name === TRUNK || name === TRUNK_PREVIOUS) throw new PublishError('TAG', `the tag ${name} is kept automatically`);
  if (!tags.some((tag) => tag.name === name)) throw new PublishError('TAG', `there is no tag ${name}`);
  return tags.filter((tag) => tag.name !== name);
}

function tagOfRow(row: Record<string, unknown>): Tag {
  const hash = ContentHash.parse(String(row.hash));
  if (hash === undefined) throw new Error(`the tag ${row.name} has no hash`);
  return {
    name: String(row.name),
    hash,
    size: Number(row.size ?? 0),
    revision: Number(row.revision),
    timestamp: Number(row.timestamp),
    description: String(row.description ?? ''),
  };
}
