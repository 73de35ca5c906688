// The structure of a shell script: simple commands, and `if` blocks with commands in them. Loops, functions and all else
// are only delimited, so that nothing inside them is taken for a setting.
import type { Token } from './shell-tokens.ts';

export interface Lines {
  readonly first: number;
  readonly last: number;
}

export interface Branch {
  /** undefined: `else`. */
  readonly condition: readonly Command[] | undefined;
  readonly body: readonly Command[];
}

export type Command = Lines &
  (
    | { readonly kind: 'simple'; readonly tokens: readonly Token[] }
    | { readonly kind: 'if'; readonly branches: readonly Branch[] }
    | { readonly kind: 'other' }
  );

/** What ends the block that a word begins. */
const CLOSING: ReadonlyMap<string, string> = new Map([
  ['for', 'done'],
  ['while', 'done'],
  ['until', 'done'],
  ['case', 'esac'],
  ['{', '}'],
]);
const INNER = new Set(['do', 'then', 'elif', 'else']);

export function parseBlocks(tokens: readonly Token[]): Command[] {
  return new BlockParser(tokens).commands([]);
}

class BlockParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Up to one of the words, which is not taken, or the end. */
  commands(until: readonly string[]): Command[] {
    const commands: Command[] = [];
    for (;;) {
      while (this.#tokens[this.#at]?.kind === 'separator') this.#at++;
      if (this.#atEnd || until.includes(this.#word)) return commands;
      commands.push(this.#command());
    }
  }

  get #atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** '' at an operator. */
  get #word(): string {
    const token = this.#tokens[this.#at];
    return token?.kind === 'word' ? token.text : '';
  }

  #take(word: string): boolean {
    if (this.#word !== word) return false;
    this.#at++;
    return true;
  }

  #command(): Command {
    if (this.#word === 'if') return this.#if();
    return CLOSING.has(this.#word) ? this.#skipBlock() : this.#simple();
  }

  #linesFrom(first: number): Lines {
    const { line, text } = this.#tokens[this.#at - 1];
    return { first: this.#tokens[first].line, last: line + (text.trimEnd().split('\n').length - 1) };
  }

  #simple(): Command {
    const first = this.#at;
    let understood = true;
    for (let afterWord = false; !this.#atEnd; ) {
      const { kind, text } = this.#tokens[this.#at];
      if (kind === 'separator') break;
      // A block in a pipeline or list, or the body of a function.
      if (text === '{' || (!afterWord && (text === 'if' || CLOSING.has(text)))) {
        this.#command();
        understood = false;
      } else {
        this.#at++;
        if (kind === 'other') understood = false;
      }
      afterWord = kind === 'word';
    }
    const lines = this.#linesFrom(first);
    return understood
      ? { kind: 'simple', tokens: this.#tokens.slice(first, this.#at), ...lines }
      : { kind: 'other', ...lines };
  }

  #if(): Command {
    const first = this.#at++;
    const branches: Branch[] = [];
    let complete = true;
    do {
      const condition = this.commands(['then']);
      complete = this.#take('then');
      branches.push({ condition, body: this.commands(['elif', 'else', 'fi']) });
    } while (complete && this.#take('elif'));
    if (complete && this.#take('else')) branches.push({ condition: undefined, body: this.commands(['fi']) });
    const closed = this.#take('fi') && complete;
    if (!closed) this.#at = this.#tokens.length;
    const understood = closed && (this.#atEnd || this.#tokens[this.#at].kind === 'separator');
    if (!understood && !this.#atEnd) this.#simple();
    const lines = this.#linesFrom(first);
    return understood ? { kind: 'if', branches, ...lines } : { kind: 'other', ...lines };
  }

  #skipBlock(): Command {
    const first = this.#at;
    const closing = CLOSING.get(this.#word) as string;
    this.#at++;
    for (;;) {
      this.commands([closing, ...INNER]);
      if (this.#atEnd) break;
      this.#at++;
      if (this.#tokens[this.#at - 1].text === closing) break;
    }
    if (!this.#atEnd && this.#tokens[this.#at].kind !== 'separator') this.#simple();
    return { kind: 'other', ...this.#linesFrom(first) };
  }
}
