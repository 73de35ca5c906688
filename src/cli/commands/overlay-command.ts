// What the subcommands about overlays' directories have in common: one line and 125 for what goes wrong.
import { type Command, CommanderError } from 'commander';

export async function runOverlayCommand(
  declare: (program: Command) => Command,
  program: Command,
  args: string[],
): Promise<number> {
  const command = declare(program.exitOverride().configureOutput({ writeErr: () => {} }));
  try {
    await command.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const hint = error instanceof CommanderError ? `; see '${command.name()} --help'` : '';
    process.stderr.write(`${command.name()}: ${(error as Error).message.replace(/^error: /, '')}${hint}\n`);
    return 125;
  }
}
