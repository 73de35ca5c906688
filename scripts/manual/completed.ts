// What the completions of all shells are made from.
import type { Row } from './help-text.ts';
import type { Program } from './programs.ts';

export type ValueKind = 'directory' | 'file' | 'parameter' | 'choice' | 'other';

export interface CompletedOption {
  /** As typed: -d, --debug. */
  readonly flags: readonly string[];
  readonly text: string;
  /** undefined: it takes none. */
  readonly value?: { readonly kind: ValueKind; readonly name: string; readonly choices: readonly string[] };
}

export interface Completed {
  readonly program: string;
  /** '' for the program itself. */
  readonly command: string;
  readonly options: readonly CompletedOption[];
  readonly commands: readonly { readonly name: string; readonly text: string }[];
  /** What stands where no option does. */
  readonly operands: 'repositories' | 'files';
}

/** The others are for scripts, or pass their words on. */
const PROGRAMS = ['cvmfsexec', 'mountrepo', 'umountrepo', 'cvmfs-publish'];

export function completedOf(programs: readonly Program[]): Completed[] {
  return programs
    .filter(({ path }) => PROGRAMS.includes(path[0] ?? ''))
    .map(({ path: [program = '', command = ''], help }) => ({
      program,
      command,
      options: help.options.map(option),
      commands: help.commands.map(({ words, text }) => ({ name: words.split(' ')[0] ?? '', text })),
      operands: program === 'cvmfs-publish' ? 'files' : 'repositories',
    }));
}

function option({ words, text }: Row): CompletedOption {
  const name = /<(.*)>/.exec(words)?.[1];
  // An optional value is attached, and is nothing that could be completed.
  const flags = words.replace(/ [<[].*/, '').split(/, */);
  if (name === undefined) return { flags, text };
  const choices = [...(/\(choices: (.*?)\)/.exec(text)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
    ([, word]) => word ?? '',
  );
  return { flags, text, value: { kind: kindOf(name, choices), name, choices } };
}

function kindOf(name: string, choices: readonly string[]): ValueKind {
  if (choices.length > 0) return 'choice';
  if (/^(dir|directory)$/i.test(name)) return 'directory';
  if (/^(file|image|path|src.*)$/i.test(name)) return 'file';
  return name === 'KEY=VALUE' ? 'parameter' : 'other';
}
