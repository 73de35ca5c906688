// Reads a CREATE TABLE statement as SQLite keeps it in its schema: columns, the rowid's alias, automatic indexes.
import { corrupt, SqliteError } from './error.ts';
import { type IndexColumn, parseIndexColumn } from './index-columns.ts';
import { closing, isMark, keyword, listItems, type Token, tokenize } from './sql-tokens.ts';

export interface ColumnDefinition {
  /** Lower case. */
  readonly name: string;
  /** Declared type, upper case, '' without. */
  readonly type: string;
  /** COLLATE of the column, upper case; BINARY without. */
  collation: string;
  /** Tokens after DEFAULT. */
  fallback: readonly Token[];
}

export interface TableDefinition {
  readonly columns: ColumnDefinition[];
  /** The column that is another name of the rowid, or -1. */
  rowidColumn: number;
  /** Columns of PRIMARY KEY and UNIQUE, in the order in which SQLite numbers their automatic indexes. */
  unique: (readonly IndexColumn[])[];
}

const COLUMN_CONSTRAINTS =
  /^(CONSTRAINT|PRIMARY|NOT|NULL|UNIQUE|CHECK|DEFAULT|COLLATE|REFERENCES|GENERATED|AS|DEFERRABLE)$/;
const TABLE_CONSTRAINTS = /^(CONSTRAINT|PRIMARY|UNIQUE|CHECK|FOREIGN)$/;

/** Throws UNSUPPORTED for tables whose rows are stored in another way: WITHOUT ROWID, generated columns. */
export function parseCreateTable(sql: string): TableDefinition {
  const tokens = tokenize(sql);
  const open = tokens.findIndex((token) => isMark(token, '('));
  if (open < 0) throw corrupt(`unreadable table in the schema: ${sql.slice(0, 80)}`);
  if (tokens.slice(closing(tokens, open)).some((token) => keyword(token) === 'WITHOUT')) {
    throw new SqliteError('UNSUPPORTED', `tables WITHOUT ROWID are not read here: ${sql.slice(0, 80)}`);
  }
  const table: TableDefinition = { columns: [], rowidColumn: -1, unique: [] };
  for (const item of listItems(tokens, open)) {
    if (TABLE_CONSTRAINTS.test(keyword(item[0]))) readTableConstraints(table, item);
    else readColumn(table, item);
  }
  table.unique = withoutRepetition(table);
  return table;
}

function readColumn(table: TableDefinition, item: readonly Token[]): void {
  if (item.length === 0) throw corrupt('a table of the schema has a column without name');
  let at = 1;
  const type: string[] = [];
  while (at < item.length && !COLUMN_CONSTRAINTS.test(keyword(item[at]))) {
    const next = isMark(item[at], '(') ? closing(item, at) : at + 1;
    type.push(
      item
        .slice(at, next)
        .map((token) => token.text)
        .join(''),
    );
    at = next;
  }
  const name = item[0].text.toLowerCase();
  const column: ColumnDefinition = { name, type: type.join(' ').toUpperCase(), collation: 'BINARY', fallback: [] };
  table.columns.push(column);
  while (at < item.length) at = readColumnConstraint(table, column, item, at);
}

/** Takes in the constraint at `at`, or passes over a token that does not matter; gives the position after it. */
function readColumnConstraint(
  table: TableDefinition,
  column: ColumnDefinition,
  item: readonly Token[],
  at: number,
): number {
  switch (keyword(item[at])) {
    case 'CONSTRAINT': // its name
    case 'SET': // REFERENCES … ON DELETE SET NULL, SET DEFAULT
      return at + 2;
    case 'PRIMARY': {
      const descending = keyword(item[at + 2]) === 'DESC';
      addPrimaryKey(table, [{ name: column.name, collation: '', descending }], !descending);
      return at + 2;
    }
    case 'UNIQUE':
      table.unique.push([{ name: column.name, collation: '', descending: false }]);
      return at + 1;
    case 'COLLATE':
      column.collation = (item[at + 1]?.text ?? '').toUpperCase();
      return at + 2;
    case 'GENERATED':
    case 'AS':
      throw new SqliteError('UNSUPPORTED', `column ${column.name} is generated: not read here`);
    case 'DEFAULT': {
      const signed = isMark(item[at + 1], '-') || isMark(item[at + 1], '+');
      const end = isMark(item[at + 1], '(') ? closing(item, at + 1) : at + (signed ? 3 : 2);
      column.fallback = item.slice(at + 1, end);
      return end;
    }
    default:
      return isMark(item[at], '(') ? closing(item, at) : at + 1;
  }
}

function readTableConstraints(table: TableDefinition, item: readonly Token[]): void {
  for (let at = 0; at < item.length; ) {
    const word = keyword(item[at]);
    const open = word === 'PRIMARY' ? at + 2 : at + 1;
    if ((word === 'PRIMARY' || word === 'UNIQUE') && isMark(item[open], '(')) {
      // AUTOINCREMENT may follow the last column of a primary key.
      const columns = listItems(item, open).map((tokens) =>
        parseIndexColumn(tokens.filter((token) => keyword(token) !== 'AUTOINCREMENT')),
      );
      if (word === 'PRIMARY') addPrimaryKey(table, columns, columns.length === 1);
      else table.unique.push(columns);
      at = closing(item, open);
    } else if (word === 'CONSTRAINT' || word === 'SET') {
      at += 2;
    } else {
      at = isMark(item[at], '(') ? closing(item, at) : at + 1;
    }
  }
}

/** A single column of type INTEGER, to the letter, is the rowid itself and has no index. */
function addPrimaryKey(table: TableDefinition, columns: IndexColumn[], mayBeRowid: boolean): void {
  const column = table.columns.findIndex((candidate) => candidate.name === columns[0].name);
  if (mayBeRowid && column >= 0 && table.columns[column].type === 'INTEGER') table.rowidColumn = column;
  else table.unique.push(columns);
}

/** SQLite makes no second automatic index over the same columns in the same collations. */
function withoutRepetition(table: TableDefinition): (readonly IndexColumn[])[] {
  const collationOf = (column: IndexColumn) =>
    column.collation || table.columns.find(({ name }) => name === column.name)?.collation;
  const seen = new Set<string>();
  return table.unique.filter((columns) => {
    const key = JSON.stringify(columns.map((column) => [column.name, collationOf(column)]));
    return !seen.has(key) && seen.add(key);
  });
}
