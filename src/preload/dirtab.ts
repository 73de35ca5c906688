// A specification of paths in the syntax of dirtabs, with the meaning that cvmfs_preload gives them: one pattern a line,
// absolute; `#` begins a comment, `!` an exception, which may be relative.
//
//   /software/releases/*        everything in and below what it matches
//   ! /software/releases/old*   but not this, nor what is below
//   ! *.debug                   in exceptions `*` matches slashes, too: all files and directories of this name
//
// Directories above what is wanted are loaded as far as looking up and listing needs it.
import { PreloadError } from './errors.ts';
import type { Child, Guide, Wanted } from './guide.ts';
import { expression, type PathPattern, parsePathPattern } from './path-pattern.ts';

interface Rule {
  /** As it was written. */
  readonly text: string;
  readonly exact: RegExp;
  matched: boolean;
}

export class Dirtab {
  /** For the root directory. */
  readonly guide: Guide;
  readonly #rules: readonly Rule[];
  readonly #ways: RegExp;
  readonly #exceptions: RegExp;
  readonly #searching: Guide;
  readonly #covered: Guide;
  #unmatched: readonly Rule[];

  private constructor(wanted: readonly [string, PathPattern][], exceptions: readonly PathPattern[]) {
    this.#rules = wanted.map(([text, pattern]) => ({
      text,
      exact: whole([expression(pattern, pattern.strict)]),
      matched: false,
    }));
    this.#unmatched = this.#rules;
    this.#ways = whole(wanted.flatMap(([, pattern]) => waysTo(pattern)));
    this.#exceptions = whole(exceptions.map((pattern) => expression(pattern, pattern.relaxed)));
    this.#searching = { child: (child) => this.#search(child) };
    this.#covered = { child: (child) => this.#cover(child) };
    this.guide = this.#matches('/') ? this.#covered : this.#searching;
  }

  /**
   * @param text Latin-1, one character a byte
   * @param origin where it comes from, for messages
   * @throws PreloadError BAD_PATTERN
   */
  static parse(text: string, origin: string): Dirtab {
    const wanted: [string, PathPattern][] = [];
    const exceptions: [string, PathPattern][] = [];
    for (const [index, line] of text.split('\n').entries()) {
      const [, mark, spec] = /^\s*([#!]?)\s*(.*?)\s*$/s.exec(line) as RegExpExecArray;
      if (mark === '#' || spec === '') continue;
      const pattern = parsePathPattern(spec);
      if (!pattern || (mark === '' && !pattern.absolute)) {
        const rule = 'it must begin with / (or be an exception, !), and a backslash may stand before *, ? and \\ only';
        throw new PreloadError('BAD_PATTERN', `${origin}:${index + 1}: '${spec}' is no pattern for paths: ${rule}`);
      }
      (mark === '!' ? exceptions : wanted).push([spec, pattern]);
    }
    for (const [spec, { strict }] of exceptions) {
      if (!wanted.some(([, pattern]) => pattern.strict.join('/') === strict.join('/'))) continue;
      throw new PreloadError('BAD_PATTERN', `${origin}: '${spec}' is wanted and excepted at once`);
    }
    const patterns = exceptions.map(([, pattern]) => pattern);
    return new Dirtab(wanted, patterns);
  }

  /** Nothing is wanted. */
  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** Lines for which nothing was found; to be asked after a walk. */
  get unmatched(): string[] {
    return this.#unmatched.map(({ text }) => text);
  }

  #search({ path }: Child): Wanted | undefined {
    if (this.#exceptions.test(path)) return undefined;
    if (this.#matches(path)) return { content: 'all', below: this.#covered };
    return this.#ways.test(path) ? { below: this.#searching } : undefined;
  }

  #cover(child: Child): Wanted | undefined {
    const { path, hidden } = child;
    if (this.#exceptions.test(path)) return undefined;
    if (hidden) return this.#search(child);
    this.#matches(path, this.#unmatched);
    return { content: 'all', below: this.#covered };
  }

  #matches(path: string, rules = this.#rules): boolean {
    let named = false;
    for (const rule of rules) {
      if (!rule.exact.test(path)) continue;
      named = true;
      if (rule.matched) continue;
      rule.matched = true;
      this.#unmatched = this.#unmatched.filter(({ matched }) => !matched);
    }
    return named;
  }
}

/** Directories that lead to what the pattern may match. */
function waysTo(pattern: PathPattern): string[] {
  return pattern.strict.slice(0, -1).map((_, last) => expression(pattern, pattern.strict.slice(0, last + 1)));
}

/** Matches a path that one of the expressions matches; none does not match anything. */
function whole(expressions: readonly string[]): RegExp {
  return expressions.length === 0 ? /(?!)/ : new RegExp(`^(?:${expressions.join('|')})$`);
}
