// Real catalogs and history databases, as the reference publisher wrote them.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inflateSync } from 'node:zlib';
import test from 'ava';
import { Row } from '../../src/sqlite/row.ts';
import { columnsOf, openBytes, rowsByReader, rowsBySqlite } from './comparison.ts';

const FIXTURES = join(import.meta.dirname, '../../../shared/fixtures');
const present = existsSync(FIXTURES);
if (!present) test('real catalogs are not there: nothing compared', (t) => t.pass(`no ${FIXTURES}`));

const repositories = present ? readdirSync(FIXTURES).filter((name) => name.endsWith('.example.org.tar.gz')) : [];

for (const archive of repositories) {
  test(`every row of every catalog of ${archive} is what SQLite reads`, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sqlite-catalogs-'));
    try {
      execFileSync('tar', ['xzf', join(FIXTURES, archive), '-C', directory]);
      const objects = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      const catalogs = objects.filter((path) => /data\/..\/[0-9a-f-]+(rmd160|shake128)?[CH]$/.test(path));
      t.true(catalogs.some((path) => path.endsWith('C')));
      for (const path of catalogs) {
        const bytes = inflateSync(readFileSync(join(directory, path)));
        writeFileSync(join(directory, 'catalog'), bytes);
        const database = new DatabaseSync(join(directory, 'catalog'), { readOnly: true });
        const reader = openBytes(bytes);
        const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type='table'").all() as {
          name: string;
        }[];
        for (const { name } of tables) {
          const types = columnsOf(database, name).map(({ type }) => type);
          const [ours, theirs] = [rowsByReader(reader, name, types), rowsBySqlite(database, name)];
          t.true(ours.join('\n') === theirs.join('\n'), `${path} ${name}`);
        }
        if (reader.hasTable('catalog')) t.true(foundByIndexes(reader) > 0, path);
        database.close();
        reader.close();
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

/** Looks every row up by its path, and in the list of its directory; gives the number of rows. */
function foundByIndexes(reader: ReturnType<typeof openBytes>): number {
  const table = reader.table('catalog');
  const byPath = table.index(['md5path_1', 'md5path_2']);
  const byParent = table.index(['parent_1', 'parent_2']);
  if (byPath === undefined || byParent === undefined) throw new Error('a catalog without its indexes');
  const [path1, path2, parent1, parent2] = ['md5path_1', 'md5path_2', 'parent_1', 'parent_2'].map((name) =>
    table.column(name),
  );
  const lists = new Map<string, number[]>();
  let rows = 0;
  for (const row of table.scan(new Row())) {
    rows++;
    const key = [row.high(parent1), row.low(parent1), row.high(parent2), row.low(parent2)] as const;
    const children = lists.get(key.join()) ?? [];
    if (children.length === 0) byParent.all(...key, children);
    lists.set(key.join(), children);
    if (!children.includes(row.rowid)) throw new Error(`row ${row.rowid} is not in the list of its directory`);
    const found = byPath.first(row.high(path1), row.low(path1), row.high(path2), row.low(path2));
    if (found !== row.rowid) throw new Error(`row ${row.rowid} found as ${found}`);
  }
  return rows;
}
