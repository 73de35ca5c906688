// A talk command: its words, what has to follow them, and its answer.
import type { TalkTarget } from './talk-target.ts';

export interface TalkCommand {
  readonly words: string;
  /** What has to follow, as in its usage line; undefined: nothing. */
  readonly argument?: string;
  /** What it sets is kept when another server takes the mount over. */
  readonly lasting?: true;
  readonly run: (target: TalkTarget, argument: string) => string | Promise<string>;
}

/** For what a mount of ours has no equivalent of. */
export function unsupported(words: string, why: string): TalkCommand {
  return { words, run: () => `Unsupported: ${why}` };
}

/** undefined: no number. */
export function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
