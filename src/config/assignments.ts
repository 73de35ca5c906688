// What a configuration file sets. The files are shell scripts, of which this runs what they need: NAME=value, export,
// readonly, `if` with comparisons, other files by `.` or `source`, and return. What is more than that is left out, and
// never guessed at.
import { type AskFile, isTrue } from './conditions.ts';
import { type Branch, type Command, type Lines, parseBlocks } from './shell-blocks.ts';
import { type Token, tokenize } from './shell-tokens.ts';
import { expand, NotUnderstood, type Variables } from './shell-words.ts';

export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
  /** Of an included file; undefined: the file itself. */
  readonly file?: string;
}

export interface Skipped extends Lines {
  /** Of an included file; undefined: the file itself. */
  readonly file?: string;
}

export interface ParsedFile {
  readonly assignments: readonly Assignment[];
  /** What was left out: single commands, or an `if` block as a whole. */
  readonly skipped: readonly Skipped[];
  /** Included files that were read. */
  readonly included: readonly string[];
  /** Included files that there are not. */
  readonly missing: readonly string[];
}

/** What a file finds. */
export interface Surroundings {
  /** The value of a variable that no file can change. */
  fixed(name: string): string | undefined;
  /** The value of a variable that was set before. */
  earlier(name: string): string | undefined;
  /** A file by its path as written, relative to the directory of the outermost file. Without this, none can be included. */
  include?(path: string): { readonly file: string; readonly text: string | undefined };
  askFile?: AskFile;
}

export function parseAssignments(text: string, surroundings: Surroundings): ParsedFile {
  const run = new Run(surroundings);
  run.all(parseBlocks(tokenize(text)));
  return run;
}

/** Files within files. More than this is a file that includes itself. */
const MAX_DEPTH = 8;
const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s;
const NAME = /^[A-Za-z_]\w*$/;

/** The state of a script at one place. */
class Run implements ParsedFile {
  readonly assignments: Assignment[] = [];
  readonly skipped: Skipped[] = [];
  readonly included: string[] = [];
  readonly missing: string[] = [];
  /** `return` was met. */
  #returned = false;
  readonly #surroundings: Surroundings;
  readonly #values: Map<string, string>;
  /** The included files that this is in, from the outermost on. */
  readonly #files: readonly string[];

  constructor(
    surroundings: Surroundings,
    values: ReadonlyMap<string, string> = new Map(),
    files: readonly string[] = [],
  ) {
    this.#surroundings = surroundings;
    this.#values = new Map(values);
    this.#files = files;
  }

  /** Does each of the commands, or leaves it out. */
  all(commands: readonly Command[]): void {
    for (const command of commands) {
      if (this.#returned) return;
      this.#attempt(command);
    }
  }

  /** A command is done wholly or not at all. */
  #attempt(command: Command): void {
    const trial = new Run(this.#surroundings, this.#values, this.#files);
    try {
      trial.#do(command);
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      this.skipped.push({ first: command.first, last: command.last, ...this.#file() });
      return;
    }
    this.#adopt(trial);
    this.#returned = trial.#returned;
  }

  #adopt(other: Run): void {
    for (const assignment of other.assignments) this.#note(assignment);
    this.skipped.push(...other.skipped);
    this.included.push(...other.included);
    this.missing.push(...other.missing);
  }

  #do(command: Command): void {
    if (command.kind === 'other') throw new NotUnderstood();
    if (command.kind === 'simple') this.#simple(command.tokens);
    else this.#if(command.branches);
  }

  #if(branches: readonly Branch[]): void {
    for (const { condition, body } of branches) {
      if (condition && !this.#holds(condition)) continue;
      for (const inner of body) {
        if (this.#returned) return;
        // A block within the block may be left out alone.
        if (inner.kind === 'if') this.#attempt(inner);
        else this.#do(inner);
      }
      return;
    }
  }

  #holds(condition: readonly Command[]): boolean {
    const [command] = condition;
    if (condition.length !== 1 || command.kind !== 'simple') throw new NotUnderstood();
    return isTrue(command.tokens, this.#variables(command.first), this.#surroundings.askFile);
  }

  #simple(tokens: readonly Token[]): void {
    if (tokens.some(({ kind }) => kind !== 'word')) throw new NotUnderstood();
    const [{ text: first }, ...rest] = tokens;
    const declaration = first === 'export' || first === 'readonly';
    if (first === ':') {
      for (const { text, line } of rest) expand(text, this.#variables(line));
    } else if (first === 'return') {
      if (rest.length > 1) throw new NotUnderstood();
      this.#returned = true;
    } else if ((first === '.' || first === 'source') && rest.length === 1) {
      this.#include(rest[0]);
    } else {
      for (const word of declaration ? rest : tokens) {
        if (!(declaration && NAME.test(word.text))) this.#assign(word);
      }
    }
  }

  /** `return` in the other file ends that one only. */
  #include({ text, line }: Token): void {
    const path = expand(text, this.#variables(line));
    if (!this.#surroundings.include || path === '' || this.#files.length === MAX_DEPTH) throw new NotUnderstood();
    const { file, text: inside } = this.#surroundings.include(path);
    if (inside === undefined) {
      this.missing.push(file);
      return;
    }
    const run = new Run(this.#surroundings, this.#values, [...this.#files, file]);
    run.all(parseBlocks(tokenize(inside)));
    this.included.push(file);
    this.#adopt(run);
  }

  #assign({ text, line }: Token): void {
    const match = ASSIGNMENT.exec(text);
    // A tilde stands for a home directory.
    if (!match || match[2].startsWith('~')) throw new NotUnderstood();
    this.#set(match[1], expand(match[2], this.#variables(line)), line);
  }

  #variables(line: number): Variables {
    const { fixed, earlier } = this.#surroundings;
    return {
      get: (name) => fixed(name) ?? this.#values.get(name) ?? earlier(name),
      set: (name, value) => this.#set(name, value, line),
    };
  }

  #set(name: string, value: string, line: number): void {
    this.#note({ name, value, line, ...this.#file() });
  }

  #note(assignment: Assignment): void {
    this.#values.set(assignment.name, assignment.value);
    this.assignments.push(assignment);
  }

  #file(): { file?: string } {
    const file = this.#files.at(-1);
    return file === undefined ? {} : { file };
  }
}
