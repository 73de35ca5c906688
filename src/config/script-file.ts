// What one configuration file sets, by our own parser or, where that is not enough, by /bin/sh.
import { dirname, resolve } from 'node:path';
import { type Assignment, type ParsedFile, parseAssignments, type Surroundings } from './assignments.ts';
import type { FileTest } from './conditions.ts';
import type { ConfigurationFiles } from './configuration-files.ts';
import { withTreeOnDisk } from './disk-copy.ts';
import { mentionedNames, variablesIn } from './mentions.ts';
import { evaluateByShell, type ShellOutcome } from './shell-evaluation.ts';
import { unfitToExecute } from './trusted-file.ts';

export interface ScriptContext {
  readonly files: ConfigurationFiles;
  /** The value of a variable that no file can change. */
  readonly fixed: (name: string) => string | undefined;
  /** The value of a variable that was set before, by files or in the environment. */
  readonly earlier: (name: string) => string | undefined;
  /** Names of all parameters that were set before. */
  readonly names: () => Iterable<string>;
  readonly warn: (message: string) => void;
}

/** The settings that a file makes, in order. */
export function readScript(file: string, text: string, context: ScriptContext): readonly Assignment[] {
  const parsed = parseAssignments(text, surroundings(dirname(file), context));
  for (const missing of parsed.missing) context.warn(`${file} includes ${missing}, which cannot be read`);
  if (parsed.skipped.length === 0) return parsed.assignments;
  const reason = unfit(file, parsed, context);
  const outcome = reason === undefined ? evaluate(file, text, context) : { failure: reason };
  if ('values' in outcome) return assignments(text, outcome.values, parsed, context);
  for (const { file: included, first, last } of parsed.skipped) {
    const lines = first === last ? first : `${first}-${last}`;
    context.warn(`${included ?? file}:${lines}: left out, as it needs a shell, and ${outcome.failure}`);
  }
  return parsed.assignments;
}

function surroundings(directory: string, { files, fixed, earlier }: ScriptContext): Surroundings {
  return {
    fixed,
    earlier,
    include(path) {
      const file = resolve(directory, path);
      return { file, text: textOf(files, file) };
    },
    askFile: (test, path) => ask(files, test, resolve(directory, path)),
  };
}

function textOf(files: ConfigurationFiles, file: string): string | undefined {
  try {
    return files.read(file)?.toString('utf8');
  } catch (error) {
    // Only what the system says: something not being there yet is not ours to judge.
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    return undefined;
  }
}

function ask(files: ConfigurationFiles, test: FileTest, path: string): boolean {
  const kind = files.kind(path);
  if (test === '-f' || test === '-d') return kind === (test === '-f' ? 'file' : 'directory');
  if (kind === undefined || test === '-e') return kind !== undefined;
  if (kind === 'directory') return true;
  const text = textOf(files, path);
  return test === '-r' ? text !== undefined : text !== undefined && text !== '';
}

/** Only what is signed, or was written by its owner or root, is executed. */
function unfit(file: string, { included }: ParsedFile, { files }: ScriptContext): string | undefined {
  for (const path of [file, ...included]) {
    const reason = files.isSigned(path) ? undefined : unfitToExecute(path);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function evaluate(file: string, text: string, context: ScriptContext): ShellOutcome {
  const { files, fixed, earlier } = context;
  const names = [...mentionedNames(text).keys()];
  const environment: Record<string, string> = {};
  for (const name of [...context.names(), ...variablesIn(text)]) {
    const value = fixed(name) ?? earlier(name);
    if (value !== undefined) environment[name] = value;
  }
  const directory = dirname(file);
  if (!files.isSigned(file)) return evaluateByShell({ text, directory, environment, names });
  return withTreeOnDisk(files, environment, directory, (copy) => evaluateByShell({ text, names, ...copy }));
}

/** What a shell has changed, with the line that speaks of it last. */
function assignments(
  text: string,
  values: ReadonlyMap<string, string>,
  parsed: ParsedFile,
  { earlier, fixed }: ScriptContext,
): Assignment[] {
  const lines = mentionedNames(text);
  const known = new Map(parsed.assignments.map((assignment) => [assignment.name, assignment]));
  return [...values].flatMap(([name, value]) => {
    const { line = 1, file } = known.get(name) ?? {};
    const unchanged = value === (fixed(name) ?? earlier(name));
    if (unchanged && !known.has(name)) return [];
    return [{ name, value, line: file === undefined ? (lines.get(name) ?? line) : line, ...(file ? { file } : {}) }];
  });
}
