// Histories that a test makes with SQLite itself.
import { databaseFile } from './made-catalog.ts';

export interface MadeTag {
  readonly name: string;
  readonly revision: number;
  readonly timestamp?: number;
  readonly hash?: string;
  readonly branch?: string;
}

/** The database file of a history that has just the columns of its schema revision. */
export function historyFile(tags: readonly MadeTag[], schemaRevision = 3, schema = '1.0'): Buffer {
  return databaseFile((database) => {
    const since = (revision: number, text: string) => (schemaRevision >= revision ? text : '');
    database.exec(`
      CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key));
      CREATE TABLE tags (name TEXT, hash TEXT, revision INTEGER, timestamp INTEGER, channel INTEGER, description TEXT,
        ${since(1, 'size INTEGER,')} ${since(3, 'branch TEXT,')} CONSTRAINT pk_tags PRIMARY KEY (name));
      INSERT INTO properties VALUES ('schema', '${schema}'), ('schema_revision', '${schemaRevision}');`);
    for (const { name, revision, timestamp = revision, hash = 'ab'.repeat(20), branch = '' } of tags) {
      const columns = { name, hash, revision, timestamp, channel: 0, description: `of ${name}` };
      const row = {
        ...columns,
        ...(schemaRevision >= 1 ? { size: 5 } : {}),
        ...(schemaRevision >= 3 ? { branch } : {}),
      };
      const keys = Object.keys(row);
      database
        .prepare(`INSERT INTO tags (${keys.join(', ')}) VALUES (${keys.map(() => '?').join(', ')})`)
        .run(...Object.values(row));
    }
  });
}
