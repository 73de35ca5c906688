// The command line of `npm run benchmark`.
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run benchmark -- [options]

Measures a job on a big repository: cold (empty cache) and hot (full cache, fresh mount), against the same tree on disk
and against cvmfs2 where it is installed. Prints a table in Markdown; progress goes to stderr.

  --only ROW         measure this row only; can be repeated (an unknown one shows which there are)
  --rounds N         repeat everything N times, contestants in turn; figures are then medians, with the best in brackets
  --directory DIR    where the big repository is, or is made: takes two minutes and 3 GB (default: below the
                     directory for temporary files, where it stays for the next time)
  --user NAME        as root: the ordinary user that mounts (default: $SUDO_USER, else the first ordinary account)
  --quiet            before every measurement wait up to 60 s for the machine's load to fall below 2
  --keep-page-cache  as root: do not drop the page cache of the machine, which makes the disk cold
`;

export interface RunOptions {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly directory: string;
  readonly user: string | undefined;
  readonly quiet: boolean;
  readonly keepPageCache: boolean;
  readonly help: boolean;
}

/** @throws TypeError for what cannot be understood */
export function parseRunOptions(words: readonly string[]): RunOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '1' },
      directory: { type: 'string' },
      user: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      'keep-page-cache': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds ${values.rounds}: expected a number from 1`);
  return {
    only: values.only,
    rounds,
    directory: values.directory === undefined ? ownDirectory() : resolve(values.directory),
    user: values.user,
    quiet: values.quiet,
    keepPageCache: values['keep-page-cache'],
    help: values.help,
  };
}

/** In a place where everybody may write, somebody else could have made it. */
function ownDirectory(): string {
  const uid = process.getuid!();
  const directory = join(tmpdir(), `cvmfsexec-benchmark-${uid}`);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== uid) throw new TypeError(`${directory} is not yours: use --directory`);
  return directory;
}
