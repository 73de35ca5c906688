import { corrupt } from './error.ts';
import { type IndexColumn, parseIndexColumn } from './index-columns.ts';
import { closing, isMark, keyword, listItems, tokenize } from './sql-tokens.ts';

export interface IndexDefinition {
  readonly columns: readonly IndexColumn[];
  /** Holds only the rows that a WHERE clause selects. */
  readonly partial: boolean;
}

/** Parses CREATE [UNIQUE] INDEX name ON table (columns) [WHERE …]. */
export function parseCreateIndex(sql: string): IndexDefinition {
  const tokens = tokenize(sql);
  const on = tokens.findIndex((token) => keyword(token) === 'ON');
  const open = on + 2;
  if (on < 0 || !isMark(tokens[open], '(')) throw corrupt(`unreadable index in the schema: ${sql.slice(0, 80)}`);
  const columns = listItems(tokens, open).map(parseIndexColumn);
  return { columns, partial: keyword(tokens[closing(tokens, open)]) === 'WHERE' };
}
