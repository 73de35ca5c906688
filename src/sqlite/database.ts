// A read-only SQLite 3 database (https://www.sqlite.org/fileformat2.html): tables by name, no SQL.
import { parseCreateIndex } from './create-index.ts';
import { parseCreateTable, type TableDefinition } from './create-table.ts';
import { corrupt, SqliteError } from './error.ts';
import type { SchemaIndex } from './index-choice.ts';
import { type PageCache, sharedPageCache } from './page-cache.ts';
import type { PageSource } from './page-source.ts';
import { Pager } from './pager.ts';
import { Row } from './row.ts';
import { Table } from './table.ts';

/** A row of the schema. Names are lower case. */
interface SchemaEntry {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly root: number;
  readonly sql: string;
}

const SCHEMA: TableDefinition = parseCreateTable('CREATE TABLE sqlite_schema(type, name, tbl_name, rootpage, sql)');

export class Database {
  readonly #pager: Pager;
  readonly #schema: readonly SchemaEntry[];
  readonly #tables = new Map<string, Table>();

  private constructor(pager: Pager) {
    this.#pager = pager;
    this.#schema = readSchema(pager);
  }

  /**
   * Opens a database and reads its schema. The source belongs to the database from here on: it is closed with it, and
   * when opening fails. All failures are SqliteErrors. Pages are kept in `cachePages`, by default in one cache for the process.
   */
  static open(source: PageSource, options: { readonly cachePages?: PageCache } = {}): Database {
    let pager: Pager | undefined;
    try {
      pager = new Pager(source, options.cachePages ?? sharedPageCache);
      return new Database(pager);
    } catch (error) {
      if (pager === undefined) source.close();
      else pager.close();
      throw error;
    }
  }

  hasTable(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /** Throws NO_SUCH_TABLE, or UNSUPPORTED for tables that are not stored as rows by rowid. */
  table(name: string): Table {
    const key = name.toLowerCase();
    let table = this.#tables.get(key);
    if (table === undefined) {
      table = this.#open(key);
      this.#tables.set(key, table);
    }
    return table;
  }

  /** Gives back the file and the memory. Reading afterwards throws CLOSED. */
  close(): void {
    this.#pager.close();
  }

  #find(name: string): SchemaEntry | undefined {
    const key = name.toLowerCase();
    return this.#schema.find((entry) => entry.type === 'table' && entry.name === key);
  }

  #open(name: string): Table {
    const entry = this.#find(name);
    if (entry === undefined) throw new SqliteError('NO_SUCH_TABLE', `the SQLite file has no table ${name}`);
    if (entry.root === 0) throw new SqliteError('UNSUPPORTED', `table ${name} is virtual`);
    const definition = parseCreateTable(entry.sql);
    return new Table(this.#pager, entry.root, definition, this.#indexes(name, definition));
  }

  #indexes(table: string, definition: TableDefinition): SchemaIndex[] {
    const entries = this.#schema.filter((entry) => entry.type === 'index' && entry.table === table);
    const automatic = entries.filter((entry) => entry.sql === '');
    const indexes = entries
      .filter((entry) => entry.sql !== '')
      .map((entry) => ({ root: entry.root, ...parseCreateIndex(entry.sql) }));
    if (automatic.length !== definition.unique.length)
      throw corrupt(`the indexes of table ${table} do not fit its constraints`);
    for (const entry of automatic) {
      // sqlite_autoindex_<table>_<number of the constraint>
      const columns = definition.unique[Number(entry.name.slice(entry.name.lastIndexOf('_') + 1)) - 1];
      if (columns === undefined) throw corrupt(`index ${entry.name} belongs to no constraint`);
      indexes.unshift({ root: entry.root, columns, partial: false });
    }
    return indexes;
  }
}

function readSchema(pager: Pager): SchemaEntry[] {
  const entries: SchemaEntry[] = [];
  const text = (row: Row, column: number) => row.bytes(column).toString('utf8');
  for (const row of new Table(pager, 1, SCHEMA, []).scan(new Row())) {
    entries.push({
      type: text(row, 0),
      name: text(row, 1).toLowerCase(),
      table: text(row, 2).toLowerCase(),
      root: row.integer(3),
      sql: text(row, 4),
    });
  }
  return entries;
}
