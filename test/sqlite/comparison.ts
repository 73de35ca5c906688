// Rows of a database as text, read by SQLite and by our reader, for comparing the two.
import type { DatabaseSync } from 'node:sqlite';
import { Database } from '../../src/sqlite/database.ts';
import { PageCache } from '../../src/sqlite/page-cache.ts';
import type { PageSource } from '../../src/sqlite/page-source.ts';
import { Row } from '../../src/sqlite/row.ts';

export function memorySource(bytes: Buffer): PageSource {
  return {
    size: bytes.length,
    read: (target, offset, length, position) => bytes.copy(target, offset, position, position + length),
    close: () => {},
  };
}

/** A reader with a cache of its own, so small that pages are dropped all the time. */
export function openBytes(bytes: Buffer): Database {
  return Database.open(memorySource(bytes), { cachePages: new PageCache(20_000) });
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Every row: rowid and, for each column, its storage class and value. Text as bytes. */
export function rowsBySqlite(database: DatabaseSync, table: string): string[] {
  const columns = columnsOf(database, table).map(({ name }) => quoted(name));
  const values = columns.map(
    (name) => `typeof(${name}), CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) ELSE ${name} END`,
  );
  const statement = database.prepare(`SELECT rowid, ${values.join(', ')} FROM ${quoted(table)} ORDER BY rowid`);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return (statement.all() as unknown as unknown[][]).map(([rowid, ...pairs]) => {
    const texts = [`${rowid}`];
    for (let i = 0; i < pairs.length; i += 2) texts.push(`${pairs[i]}:${asText(pairs[i + 1])}`);
    return texts.join(' ');
  });
}

/** `types`: declared ones, because SQLite stores whole numbers of REAL columns as integers. */
export function rowsByReader(reader: Database, name: string, types: readonly string[]): string[] {
  const table = reader.table(name);
  const texts: string[] = [];
  for (const row of table.scan(new Row())) texts.push(rowText(row, types));
  return texts;
}

export function rowText(row: Row, types: readonly string[]): string {
  return [`${row.rowid}`, ...types.map((type, column) => valueText(row, column, type))].join(' ');
}

export function columnsOf(database: DatabaseSync, table: string): { name: string; type: string }[] {
  return database.prepare(`SELECT name, type FROM pragma_table_info(?)`).all(table) as { name: string; type: string }[];
}

function valueText(row: Row, column: number, declared: string): string {
  const type = row.type(column);
  if (type === 'null') return 'null:null';
  if (type === 'real' || (type === 'integer' && declared === 'REAL')) return `real:${row.real(column)}`;
  if (type === 'integer') return `integer:${(BigInt(row.high(column)) << 32n) | BigInt(row.low(column) >>> 0)}`;
  const bytes = row.bytes(column);
  if (!Buffer.from(row.latin1(column), 'latin1').equals(bytes)) throw new Error('latin1 and bytes differ');
  return `${type}:${bytes.toString('hex')}`;
}

function asText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}
