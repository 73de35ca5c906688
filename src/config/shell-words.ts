// What a word of a shell script stands for: quotes, backslashes and variables (POSIX shell, word expansions).
import { calculate } from './arithmetic.ts';
import { endOf } from './shell-tokens.ts';

export interface Variables {
  get(name: string): string | undefined;
  /** For `${NAME:=value}`. */
  set(name: string, value: string): void;
}

/** More than configuration files need: nothing is guessed. */
export class NotUnderstood extends Error {
  override readonly name = 'NotUnderstood';
}

const NAME = /\$([A-Za-z_]\w*)/y;
const BRACES = /\$\{([A-Za-z_]\w*)(?:(:?)([-=])|\})/y;

/** @param word as written, `quoted` when it stands in double quotes. @throws NotUnderstood */
export function expand(word: string, variables: Variables, quoted = false): string {
  let text = '';
  for (let at = 0; at < word.length; ) {
    const char = word[at];
    let end = at + 1;
    if (char === "'" && !quoted) {
      end = word.indexOf("'", end) + 1;
      text += word.slice(at + 1, end - 1);
    } else if (char === '"') {
      end = endOf(word, end, '"', true);
      text += expand(word.slice(at + 1, end - 1), variables, true);
    } else if (char === '\\') {
      end = at + 2;
      text += escaped(word[at + 1] ?? '', quoted);
    } else if (char === '$') {
      const variable = expandVariable(word, at, variables, quoted);
      end = variable.end;
      text += variable.text;
    } else if (char === '`') {
      throw new NotUnderstood();
    } else {
      text += char;
    }
    // No text, however odd, may hold up a start for ever.
    if (end <= at) throw new NotUnderstood();
    at = end;
  }
  return text;
}

/**
 * The fields of a word: a variable without quotes around it may be none, or several.
 * @throws NotUnderstood also where only parts of the word have quotes, and that matters
 */
export function expandFields(word: string, variables: Variables): string[] {
  const text = expand(word, variables);
  if (!hasBareVariable(word)) return [text];
  const fields = text.split(/[ \t\n]+/).filter((field) => field !== '');
  if (/["'\\]/.test(word) && fields[0] !== text) throw new NotUnderstood();
  return fields;
}

/** Whether a variable stands outside of all quotes. */
function hasBareVariable(word: string): boolean {
  for (let at = 0; at < word.length; ) {
    const char = word[at];
    if (char === '$') return true;
    if (char === '\\') at += 2;
    else if (char === "'") at = word.indexOf("'", at + 1) + 1;
    else at = char === '"' ? endOf(word, at + 1, '"', true) : at + 1;
  }
  return false;
}

function escaped(char: string, quoted: boolean): string {
  if (char === '\n') return '';
  return quoted && !'"\\$`'.includes(char) ? `\\${char}` : char;
}

/** `$((…))`, `$NAME`, `${NAME}`, and with `-`, `:-`, `=` and `:=` what it is when unset (or, with a colon, empty). */
function expandVariable(
  word: string,
  at: number,
  variables: Variables,
  quoted: boolean,
): { text: string; end: number } {
  NAME.lastIndex = BRACES.lastIndex = at;
  if (word.startsWith('$((', at)) {
    const end = endOf(word, at + 2, ')');
    if (!word.startsWith('))', end - 2)) throw new NotUnderstood();
    return { text: `${calculate(word.slice(at + 3, end - 2), variables)}`, end };
  }
  const plain = NAME.exec(word);
  if (plain) return { text: variables.get(plain[1]) ?? '', end: at + plain[0].length };
  const match = BRACES.exec(word);
  if (!match) throw new NotUnderstood();
  const [start, name, colon, operator] = match;
  const value = variables.get(name);
  if (!operator) return { text: value ?? '', end: at + start.length };
  const end = endOf(word, at + start.length, '}', quoted);
  if (value !== undefined && !(colon && value === '')) return { text: value, end };
  const text = expand(word.slice(at + start.length, end - 1), variables, quoted);
  if (operator === '=') variables.set(name, text);
  return { text, end };
}
