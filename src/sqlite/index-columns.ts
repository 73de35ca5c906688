import { keyword, type Token } from './sql-tokens.ts';

/** One column of an index. `name` is lower case, undefined for an expression; `collation` '' is the column's own. */
export interface IndexColumn {
  readonly name: string | undefined;
  readonly collation: string;
  readonly descending: boolean;
}

/** Parses a part of a column list: NAME [COLLATE name] [ASC|DESC]. */
export function parseIndexColumn(tokens: readonly Token[]): IndexColumn {
  let end = tokens.length;
  const descending = keyword(tokens[end - 1]) === 'DESC';
  if (descending || keyword(tokens[end - 1]) === 'ASC') end--;
  let collation = '';
  if (end > 2 && keyword(tokens[end - 2]) === 'COLLATE') {
    collation = tokens[end - 1].text.toUpperCase();
    end -= 2;
  }
  const named = end === 1 && tokens[0].kind !== 'number' && tokens[0].kind !== 'blob';
  return { name: named ? tokens[0].text.toLowerCase() : undefined, collation, descending };
}
