// Where the cache is. All jobs of a user on a node share it, so the place must not depend on the job.
import { accessSync, constants } from 'node:fs';
import { ConfigError } from './error.ts';
import { makeDirectories } from './make-directories.ts';
import type { Parameters } from './parameters.ts';
import { privateDirectory } from './private-directory.ts';

export interface CachePlace {
  readonly directory: string;
  /** Why another place than the configured one was taken. */
  readonly warning?: string;
}

/** Shared directories on local disk, the best first. */
const PARENTS = ['/var/lib/cvmfs', '/local', '/var/tmp', '/tmp'];

/**
 * CVMFS_CACHE_DIR, or below CVMFS_CACHE_BASE, whichever was set by the later source; else, or where the files name a
 * directory that cannot be used, in a private directory of `user` in the first fit parent (see private-directory.ts).
 * `user`: the user id outside of all namespaces, so that two users never meet.
 * @throws ConfigError CONFLICT, NO_CACHE
 */
export function cachePlace(parameters: Parameters, user: number, parents: readonly string[] = PARENTS): CachePlace {
  const name = chosenName(parameters);
  const instead = (): string => below(privateDirectory(user, parents), parameters);
  if (!name) return { directory: instead() };
  const value = parameters.get(name) as string;
  const directory = name === 'CVMFS_CACHE_DIR' ? value : below(value, parameters);
  const failure = makeUsable(directory);
  if (failure === undefined) return { directory };
  const problem = `cannot use the cache directory ${directory}`;
  const source = parameters.source(name);
  // What the user asked for is not replaced silently; what the site's files say may not be meant for users at all.
  if (typeof source !== 'object') {
    throw new ConfigError('NO_CACHE', `${problem} (${failure}): set ${name} to a writable one`);
  }
  const other = instead();
  return { directory: other, warning: `${problem} of ${source.file}:${source.line} (${failure}): using ${other}` };
}

/** Which of the two parameters counts; undefined: neither is set. */
function chosenName(parameters: Parameters): 'CVMFS_CACHE_DIR' | 'CVMFS_CACHE_BASE' | undefined {
  const directory = rank(parameters, 'CVMFS_CACHE_DIR');
  const base = rank(parameters, 'CVMFS_CACHE_BASE');
  if (directory === 0 && base === 0) return undefined;
  if (directory === base) {
    throw new ConfigError('CONFLICT', 'CVMFS_CACHE_DIR and CVMFS_CACHE_BASE are both set: set one of them');
  }
  return directory > base ? 'CVMFS_CACHE_DIR' : 'CVMFS_CACHE_BASE';
}

/** The level of its source, the later the higher; 0: nobody set it to anything. */
function rank(parameters: Parameters, name: string): number {
  const source = parameters.source(name);
  if (!parameters.get(name) || source === undefined || source === 'built-in') return 0;
  if (source === '-o') return 3;
  return source === 'environment' ? 2 : 1;
}

function below(base: string, parameters: Parameters): string {
  return `${base}/${parameters.isOn('CVMFS_SHARED_CACHE') ? 'shared' : parameters.fqrn}`;
}

/** Makes the directory; gives the reason why it cannot be used. */
function makeUsable(directory: string): string | undefined {
  try {
    makeDirectories(directory, 0o700);
    accessSync(directory, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
