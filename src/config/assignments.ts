// The part of sh that configuration files need most: NAME=value, with quotes, backslashes, comments and $NAME. What is
// more than that is left out, with a warning, and never guessed at.

export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

export interface ParsedFile {
  readonly assignments: readonly Assignment[];
  /** Numbers of the lines that were left out. */
  readonly skipped: readonly number[];
}

const ASSIGNMENT = /^(?:(?:export|readonly)[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s;
const VARIABLE = /^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?-)([^}$`]*))?\})/;

/** `lookup` gives the value of a variable set earlier. */
export function parseAssignments(text: string, lookup: (name: string) => string | undefined): ParsedFile {
  const assignments: Assignment[] = [];
  const skipped: number[] = [];
  const own = new Map<string, string>();
  const find = (name: string): string | undefined => own.get(name) ?? lookup(name);
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const first = i;
    let source = lines[i].trim();
    if (source === '' || source.startsWith('#')) continue;
    const match = ASSIGNMENT.exec(source);
    let value = match ? parseValue(match[2], find) : undefined;
    // A value in quotes may go over several lines.
    while (match && value === 'open' && i + 1 < lines.length) {
      source += `\n${lines[++i]}`;
      value = parseValue((ASSIGNMENT.exec(source) as RegExpExecArray)[2], find);
    }
    if (!match || typeof value !== 'object') {
      skipped.push(first + 1);
      if (value === 'open') i = first;
      continue;
    }
    own.set(match[1], value.text);
    assignments.push({ name: match[1], value: value.text, line: first + 1 });
  }
  return { assignments, skipped };
}

/** 'open': a quote has no end yet. undefined: not a plain value. */
function parseValue(source: string, find: (name: string) => string | undefined): { text: string } | 'open' | undefined {
  let text = '';
  for (let at = 0; at < source.length; ) {
    const char = source[at];
    if (char === "'") {
      const end = source.indexOf("'", at + 1);
      if (end < 0) return 'open';
      text += source.slice(at + 1, end);
      at = end + 1;
    } else if (char === '"') {
      const quoted = parseDoubleQuotes(source, at + 1, find);
      if (typeof quoted !== 'object') return quoted;
      text += quoted.text;
      at = quoted.end;
    } else if (char === ' ' || char === '\t' || char === '\r') {
      // The value ends here; only a comment, or nothing, may follow.
      return /^\s*(#.*)?$/s.test(source.slice(at)) ? { text } : undefined;
    } else if (char === '\\') {
      text += source[at + 1] ?? '';
      at += 2;
    } else if (char === '$') {
      const variable = expand(source.slice(at), find);
      if (!variable) return undefined;
      text += variable.text;
      at += variable.length;
    } else if ('`;&|<>()*?['.includes(char)) {
      return undefined;
    } else {
      text += char;
      at++;
    }
  }
  return { text };
}

function parseDoubleQuotes(
  source: string,
  start: number,
  find: (name: string) => string | undefined,
): { text: string; end: number } | 'open' | undefined {
  let text = '';
  for (let at = start; at < source.length; ) {
    const char = source[at];
    if (char === '"') return { text, end: at + 1 };
    if (char === '`') return undefined;
    if (char === '\\') {
      const next = source[at + 1] ?? '';
      if (next !== '\n') text += '"\\$`'.includes(next) ? next : `\\${next}`;
      at += 2;
    } else if (char === '$') {
      const variable = expand(source.slice(at), find);
      if (!variable) return undefined;
      text += variable.text;
      at += variable.length;
    } else {
      text += char;
      at++;
    }
  }
  return 'open';
}

/** `$NAME`, `${NAME}`, `${NAME-default}` or `${NAME:-default}` at the start of `source`. */
function expand(
  source: string,
  find: (name: string) => string | undefined,
): { text: string; length: number } | undefined {
  const match = VARIABLE.exec(source);
  if (!match) return undefined;
  const value = find(match[1] ?? match[2]);
  const useDefault = match[3] !== undefined && (value === undefined || (match[3] === ':-' && value === ''));
  return { text: useDefault ? match[4] : (value ?? ''), length: match[0].length };
}
