// Cuts a configuration file, which is a shell script, into words and operators. Words keep their quotes.

export interface Token {
  /** `other`: an operator that configuration files have no use for, or something that has no end. */
  readonly kind: 'word' | 'separator' | '&&' | '||' | 'other';
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

const BLANKS = ' \t\r';
const OPERATORS = ';&|<>()';

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const char = text[at];
    if (BLANKS.includes(char)) {
      at++;
    } else if (char === '#') {
      at = lineEnd(text, at);
    } else if (text.startsWith('\\\n', at)) {
      at += 2;
      line++;
    } else {
      const kind = kindAt(text, at);
      let end = kind === '&&' || kind === '||' ? at + 2 : at + 1;
      if (kind === 'word') end = endOf(text, at, '');
      else if (char === '(') end = endOf(text, at + 1, ')');
      const closed = end >= 0;
      // What follows a here-document is not told from its text.
      if (text.startsWith('<<', at)) end = text.length;
      else if (!closed) end = lineEnd(text, at);
      const part = text.slice(at, end);
      tokens.push({ kind: closed ? kind : 'other', text: part, line });
      for (const inside of part) if (inside === '\n') line++;
      at = end;
    }
  }
  return tokens;
}

function kindAt(text: string, at: number): Token['kind'] {
  const char = text[at];
  if (char === '\n' || char === ';') return 'separator';
  if (text.startsWith('&&', at)) return '&&';
  if (text.startsWith('||', at)) return '||';
  return OPERATORS.includes(char) ? 'other' : 'word';
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

/**
 * Where what begins at `at` ends: behind the character `closing`, or, where that is '', before the blank or operator that
 * ends a word. -1: nowhere. `quoted`: inside double quotes, where a single quote is a character like others.
 */
export function endOf(text: string, start: number, closing: '' | '"' | '}' | ')' | '`', quoted = false): number {
  let at = start;
  while (at >= 0 && at < text.length) {
    const char = text[at];
    if (closing === '' ? BLANKS.includes(char) || char === '\n' || OPERATORS.includes(char) : char === closing) {
      return at + closing.length;
    }
    if (char === '\\') at += 2;
    else if (char === "'" && !quoted) at = behind(text, "'", at + 1);
    else if (char === '"') at = endOf(text, at + 1, '"', true);
    else if (char === '`') at = endOf(text, at + 1, '`');
    else if (text.startsWith('${', at)) at = endOf(text, at + 2, '}', quoted);
    else if (text.startsWith('$(', at)) at = endOf(text, at + 2, ')');
    else if (char === '(' && closing === ')') at = endOf(text, at + 1, ')');
    else at++;
  }
  return at >= 0 && closing === '' ? text.length : -1;
}

function behind(text: string, char: string, start: number): number {
  const at = text.indexOf(char, start);
  return at < 0 ? -1 : at + 1;
}
