// `$((…))` of configuration files, such as a choice by `$((RANDOM % 2))`: whole numbers, variables, + - * / %, unary minus
// and parentheses.
import { NotUnderstood, type Variables } from './shell-words.ts';

const TOKEN = /\s*(?:(\d+)|\$?([A-Za-z_]\w*)|([-+*/%()]))/y;
const LEVELS: readonly (readonly string[])[] = [
  ['+', '-'],
  ['*', '/', '%'],
];

/** The text between the parentheses; nothing in it has been expanded. @throws NotUnderstood */
export function calculate(text: string, variables: Variables): number {
  const tokens = tokenize(text);
  let at = 0;
  const level = (depth: number): number => {
    if (depth === LEVELS.length) return factor();
    let value = level(depth + 1);
    while (LEVELS[depth].includes(tokens[at])) value = apply(tokens[at++], value, level(depth + 1));
    return value;
  };
  const factor = (): number => {
    const token = tokens[at++];
    if (token === '-') return -factor();
    if (token === '(') {
      const value = level(0);
      if (tokens[at++] !== ')') throw new NotUnderstood();
      return value;
    }
    if (token === undefined || !/^\w/.test(token)) throw new NotUnderstood();
    return /^\d/.test(token) ? whole(token) : numberIn(token, variables);
  };
  const value = level(0);
  if (at !== tokens.length) throw new NotUnderstood();
  return value;
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end; ) {
    const match = TOKEN.exec(text);
    if (!match) throw new NotUnderstood();
    tokens.push(match[1] ?? match[2] ?? match[3]);
  }
  return tokens;
}

/** RANDOM is what bash makes of it; other shells know it not, but who writes it means it. */
function numberIn(name: string, variables: Variables): number {
  const text = variables.get(name)?.trim();
  if (text) return whole(text);
  return name === 'RANDOM' ? Math.floor(Math.random() * 32_768) : 0;
}

function whole(text: string): number {
  // A leading zero means octal.
  if (!/^-?(?:0|[1-9]\d{0,14})$/.test(text)) throw new NotUnderstood();
  return Number(text);
}

function apply(operator: string, left: number, right: number): number {
  if ((operator === '/' || operator === '%') && right === 0) throw new NotUnderstood();
  const value =
    operator === '+'
      ? left + right
      : operator === '-'
        ? left - right
        : operator === '*'
          ? left * right
          : operator === '/'
            ? Math.trunc(left / right)
            : left % right;
  if (!Number.isSafeInteger(value)) throw new NotUnderstood();
  return value;
}
