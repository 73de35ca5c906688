// The command line of cvmfs2 (client.md §9.1): cvmfs2 [-f] [-d] [-o opt[,opt]...] REPOSITORY MOUNTPOINT, in any order. Container
// runtimes put the mount point last and flags behind it.
import { isRepositoryName } from '../../config/names.ts';
import { UsageError } from '../launch-words.ts';
import { applyOptions, type MountOptionWords, noOptions } from './options.ts';

export interface ToServe extends Readonly<MountOptionWords> {
  readonly action: 'parse' | 'mount';
  readonly repository: string;
  readonly mountPoint: string;
}

export type CommandLine = { readonly action: 'help' } | { readonly action: 'version' } | ToServe;

const HINT = "see 'cvmfs2 --help'";

/** @throws UsageError for what cannot be understood */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const options = noOptions();
  const places: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '-h' || word === '--help') return { action: 'help' };
    if (word === '-V' || word === '--version') return { action: 'version' };
    if (word === '--') places.push(...queue.splice(0));
    else if (word === '-f') options.foreground = true;
    else if (word === '-d') options.debug = true;
    else if (word === '-k') options.parse = true;
    else if (word === '-s')
      continue; // one thread answers as it is
    else if (word === '-o') applyOptions(options, operand(queue.shift()));
    else if (word.startsWith('-o')) applyOptions(options, word.slice(2));
    else if (word.startsWith('-')) throw new UsageError(`unknown option ${word}; ${HINT}`);
    else places.push(word);
  }
  const [repository, mountPoint, ...more] = places;
  if (mountPoint === undefined && !(options.parse && repository !== undefined)) {
    throw new UsageError(`a repository and a mount point are needed; ${HINT}`);
  }
  if (more.length > 0) throw new UsageError(`unexpected '${more[0]}' behind the mount point; ${HINT}`);
  if (!isRepositoryName(repository)) throw new UsageError(`'${repository}' is not a repository name; ${HINT}`);
  // What it would print has no reader in the background.
  const foreground = options.foreground || options.debug;
  return { ...options, foreground, action: options.parse ? 'parse' : 'mount', repository, mountPoint };
}

function operand(value: string | undefined): string {
  if (value === undefined) throw new UsageError(`-o needs a value; ${HINT}`);
  return value;
}
