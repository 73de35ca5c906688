// Parsing the words of a program or subcommand by its commander definition.
import type { Command, CommanderError } from 'commander';

/** Gives false when help was asked for, and printed. Throws one line for words that are not understood. */
export function parseWords(command: Command, args: readonly string[]): boolean {
  try {
    command
      .configureOutput({ writeErr: () => {} })
      .exitOverride()
      .parse(args, { from: 'user' });
    return true;
  } catch (error) {
    const { exitCode, message } = error as CommanderError;
    if (exitCode === 0) return false;
    throw new Error(`${message.replace(/^error: /, '')}; see '${command.name()} --help'`, { cause: error });
  }
}
