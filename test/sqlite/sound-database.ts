// A sound database to be damaged by tests.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export const PAGE = 512;
export const TYPES = ['INTEGER', 'INTEGER', 'TEXT'];

/** The bytes of a database that `sql` and `fill` make. */
export function madeDatabase(sql: string, fill: (database: DatabaseSync) => void = () => {}): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-sound-'));
  try {
    const file = join(directory, 'database');
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA page_size=${PAGE}; PRAGMA synchronous=OFF; ${sql}`);
    fill(database);
    database.close();
    return readFileSync(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Trees of three levels, long rows on overflow pages, free pages. */
export function soundDatabase(): Buffer {
  const schema =
    'CREATE TABLE t (a INTEGER, b INTEGER, c TEXT, PRIMARY KEY (a, b)); CREATE INDEX by_b ON t (b, a); BEGIN';
  return madeDatabase(schema, (database) => {
    const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?)');
    for (let i = 0; i < 700; i++) {
      const far = BigInt.asIntN(64, BigInt(i) * 0x9e3779b97f4a7c15n);
      insert.run(far, i % 7, i % 90 === 0 ? 'long '.repeat(500) : `name ${i}`);
    }
    database.exec('DELETE FROM t WHERE rowid BETWEEN 200 AND 260; COMMIT');
  });
}
