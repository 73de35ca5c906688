// Patterns for paths as dirtabs have them: `*` stands for any characters, `?` for one that is no slash, a backslash takes
// its meaning from either of them and from itself. Empty parts and a slash at the end do not count.

export interface PathPattern {
  /** Begins with a slash. */
  readonly absolute: boolean;
  /** Regular expressions of the parts between slashes: `*` matches no slash. */
  readonly strict: readonly string[];
  /** The same with `*` matching slashes, too. */
  readonly relaxed: readonly string[];
}

/** undefined for a text that is no pattern: a backslash before something else, or nothing but slashes in a relative one. */
export function parsePathPattern(text: string): PathPattern | undefined {
  const absolute = text.startsWith('/');
  const strict: string[] = [];
  const relaxed: string[] = [];
  for (const part of text.split('/')) {
    if (part === '') continue;
    const tokens = tokensOf(part);
    if (!tokens) return undefined;
    strict.push(tokens.map((token) => expressionOf(token, '[^/]*')).join(''));
    relaxed.push(tokens.map((token) => expressionOf(token, '[^]*')).join(''));
  }
  return absolute || strict.length > 0 ? { absolute, strict, relaxed } : undefined;
}

/** The whole pattern as one expression that matches a path without a slash at its end. */
export function expression({ absolute }: PathPattern, parts: readonly string[]): string {
  return `${absolute ? '/' : ''}${parts.join('/')}`;
}

/** A literal character, or ANY, or ONE. */
type Token = string;
const ANY = '*any';
const ONE = '?one';

function tokensOf(part: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let i = 0; i < part.length; i++) {
    const character = part[i];
    if (character === '\\') {
      const next = part[++i];
      if (next !== '*' && next !== '?' && next !== '\\') return undefined;
      tokens.push(next);
    } else if (character === '*') {
      // Two in a row are one: nothing is gained by letting a hostile pattern take its time.
      if (tokens.at(-1) !== ANY) tokens.push(ANY);
    } else tokens.push(character === '?' ? ONE : character);
  }
  return tokens;
}

function expressionOf(token: Token, any: string): string {
  if (token === ANY) return any;
  return token === ONE ? '[^/]' : token.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
}
