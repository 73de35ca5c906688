// All talk commands, and which of them is meant (client.md §9.4).
import type { TalkCommand } from './command.ts';
import { CACHE_COMMANDS } from './commands/cache.ts';
import { MOUNT_COMMANDS } from './commands/mount.ts';
import { NETWORK_COMMANDS } from './commands/network.ts';
import type { TalkTarget } from './talk-target.ts';

export const COMMANDS: ReadonlyMap<string, TalkCommand> = new Map(
  [...CACHE_COMMANDS, ...MOUNT_COMMANDS, ...NETWORK_COMMANDS].map((command) => [command.words, command]),
);

const MOST_WORDS = Math.max(...[...COMMANDS.keys()].map((words) => words.split(' ').length));

/** The answer, with or without its last newline. Rejects when the command fails in a way that it has no answer for. */
export async function answerTo(target: TalkTarget, line: string): Promise<string> {
  const words = line.split(/\s+/);
  for (let count = Math.min(MOST_WORDS, words.length); count > 0; count--) {
    const command = COMMANDS.get(words.slice(0, count).join(' '));
    if (!command) continue;
    const argument = behind(line, count);
    if (command.argument === undefined) return argument === '' ? command.run(target, '') : 'unknown command';
    return argument === '' ? `Usage: ${command.words} ${command.argument}` : set(target, command, argument);
  }
  return 'unknown command';
}

async function set(target: TalkTarget, command: TalkCommand, argument: string): Promise<string> {
  const answer = await command.run(target, argument);
  if (command.lasting && answer === 'OK') target.settings.note(command.words, argument);
  return answer;
}

/** Does again what the servers before this one were told. Rejects where something of it cannot be done any more. */
export async function restoreSettings(target: TalkTarget): Promise<void> {
  for (const { words, argument } of target.settings.before()) await COMMANDS.get(words)?.run(target, argument);
}

/** What follows the first `count` words, blanks within it as they are. */
function behind(line: string, count: number): string {
  return line.replace(new RegExp(`^\\s*(?:\\S+\\s*){${count}}`), '');
}
