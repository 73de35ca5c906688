// What a configuration file sets. The files are shell scripts, of which this runs what they need: NAME=value, export,
// readonly, `if` with comparisons, and return. What is more than that is left out, and never guessed at.
import { isTrue } from './conditions.ts';
import { type Branch, type Command, type Lines, parseBlocks } from './shell-blocks.ts';
import { type Token, tokenize } from './shell-tokens.ts';
import { expand, NotUnderstood, type Variables } from './shell-words.ts';

export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

export interface ParsedFile {
  readonly assignments: readonly Assignment[];
  /** What was left out: single commands, or an `if` block as a whole. */
  readonly skipped: readonly Lines[];
}

/** The variables that a file finds. */
export interface Surroundings {
  /** What no file can change. */
  fixed(name: string): string | undefined;
  /** What was set before. */
  earlier(name: string): string | undefined;
}

export function parseAssignments(text: string, surroundings: Surroundings): ParsedFile {
  const run = new Run(surroundings);
  run.all(parseBlocks(tokenize(text)));
  return run;
}

const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s;
const NAME = /^[A-Za-z_]\w*$/;

/** The state of a script at one place. */
class Run implements ParsedFile {
  readonly assignments: Assignment[] = [];
  readonly skipped: Lines[] = [];
  /** `return` was met. */
  #returned = false;
  readonly #surroundings: Surroundings;
  readonly #values: Map<string, string>;

  constructor(surroundings: Surroundings, values: ReadonlyMap<string, string> = new Map()) {
    this.#surroundings = surroundings;
    this.#values = new Map(values);
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
    const trial = new Run(this.#surroundings, this.#values);
    try {
      trial.#do(command);
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      this.skipped.push({ first: command.first, last: command.last });
      return;
    }
    for (const { name, value, line } of trial.assignments) this.#set(name, value, line);
    this.skipped.push(...trial.skipped);
    this.#returned = trial.#returned;
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
    return isTrue(command.tokens, this.#variables(command.first));
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
    } else {
      for (const word of declaration ? rest : tokens) {
        if (!(declaration && NAME.test(word.text))) this.#assign(word);
      }
    }
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
    this.#values.set(name, value);
    this.assignments.push({ name, value, line });
  }
}
