// Splits the CREATE statements of a schema into tokens.
import { corrupt } from './error.ts';

/** A bare word, a quoted name, a 'string', a number, x'hex', or one character. `text` is without quotes. */
export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'blob' | 'mark';
  readonly text: string;
}

const PATTERN = new RegExp(
  [
    String.raw`(?<space>\s+|--[^\n]*|/\*[\s\S]*?(?:\*/|$))`,
    `[xX]'(?<blob>[0-9a-fA-F]*)'`,
    `'(?<string>(?:[^']|'')*)'`,
    `"(?<quoted>(?:[^"]|"")*)"`,
    '`(?<ticked>(?:[^`]|``)*)`',
    String.raw`\[(?<bracketed>[^\]]*)\]`,
    String.raw`(?<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
    String.raw`(?<mark>[^\s])`,
  ].join('|'),
  'y',
);

export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  PATTERN.lastIndex = 0;
  while (PATTERN.lastIndex < sql.length) {
    const groups = PATTERN.exec(sql)?.groups;
    if (groups === undefined) throw corrupt(`unreadable statement in the schema: ${sql.slice(0, 80)}`);
    if (groups.space !== undefined) continue;
    else if (groups.blob !== undefined) tokens.push({ kind: 'blob', text: groups.blob });
    else if (groups.string !== undefined) tokens.push({ kind: 'string', text: groups.string.replaceAll("''", "'") });
    else if (groups.quoted !== undefined) tokens.push({ kind: 'name', text: groups.quoted.replaceAll('""', '"') });
    else if (groups.ticked !== undefined) tokens.push({ kind: 'name', text: groups.ticked.replaceAll('``', '`') });
    else if (groups.bracketed !== undefined) tokens.push({ kind: 'name', text: groups.bracketed });
    else if (groups.number !== undefined) tokens.push({ kind: 'number', text: groups.number });
    else if (groups.word !== undefined) tokens.push({ kind: 'word', text: groups.word });
    else tokens.push({ kind: 'mark', text: groups.mark });
  }
  return tokens;
}

export function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text;
}

/** The token as an upper-case keyword; '' if it is none. */
export function keyword(token: Token | undefined): string {
  return token?.kind === 'word' ? token.text.toUpperCase() : '';
}

/** Position after the parenthesis that closes the one at `open`. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (isMark(tokens[at], '(')) depth++;
    else if (isMark(tokens[at], ')') && --depth === 0) return at + 1;
  }
  throw corrupt('a statement of the schema lacks a closing parenthesis');
}

/** The comma-separated parts of the parentheses that open at `open`. */
export function listItems(tokens: readonly Token[], open: number): Token[][] {
  const items: Token[][] = [[]];
  const end = closing(tokens, open) - 1;
  for (let at = open + 1; at < end; ) {
    const next = isMark(tokens[at], '(') ? closing(tokens, at) : at + 1;
    if (isMark(tokens[at], ',')) items.push([]);
    else items[items.length - 1].push(...tokens.slice(at, next));
    at = next;
  }
  return items;
}
