// Where the cache is. All jobs of a user on a node share it, so the place must not depend on the job.
import { accessSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { ConfigError } from './error.ts';
import type { Parameters } from './parameters.ts';

export interface CachePlace {
  readonly directory: string;
  /** Why another place than the configured one was taken. */
  readonly warning?: string;
}

/** Shared directories on local disk, the best first. */
const PARENTS = ['/var/lib/cvmfs', '/local', '/var/tmp', '/tmp'];

/**
 * CVMFS_CACHE_DIR, or below CVMFS_CACHE_BASE, or in a private directory of `user` that is made (mode 0700) in the first fit
 * parent. `user`: the user id outside of all namespaces, so that two users never meet.
 * @throws ConfigError CONFLICT, NO_CACHE
 */
export function cachePlace(parameters: Parameters, user: number, parents: readonly string[] = PARENTS): CachePlace {
  const directory = parameters.get('CVMFS_CACHE_DIR');
  const base = parameters.isChosen('CVMFS_CACHE_BASE') ? parameters.get('CVMFS_CACHE_BASE') : undefined;
  if (directory && base) {
    throw new ConfigError('CONFLICT', 'CVMFS_CACHE_DIR and CVMFS_CACHE_BASE are both set: set one of them');
  }
  const wanted = directory || (base && below(base, parameters));
  if (!wanted) return { directory: below(privateDirectory(user, parents), parameters) };
  const failure = makeUsable(wanted);
  if (failure === undefined) return { directory: wanted };
  const name = directory ? 'CVMFS_CACHE_DIR' : 'CVMFS_CACHE_BASE';
  const source = parameters.source(name);
  // What the user asked for is not replaced silently; what the site's files say may not be meant for users at all.
  if (typeof source !== 'object') {
    throw new ConfigError(
      'NO_CACHE',
      `cannot use the cache directory ${wanted} (${failure}): set ${name} to a writable one`,
    );
  }
  const instead = below(privateDirectory(user, parents), parameters);
  const warning = `cannot use the cache directory ${wanted} of ${source.file} (${failure}): using ${instead}`;
  return { directory: instead, warning };
}

function below(base: string, parameters: Parameters): string {
  return `${base}/${parameters.isOn('CVMFS_SHARED_CACHE') ? 'shared' : parameters.fqrn}`;
}

/** Makes the directory; gives the reason why it cannot be used. */
function makeUsable(directory: string): string | undefined {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function privateDirectory(user: number, parents: readonly string[]): string {
  const tried: string[] = [];
  for (const parent of parents) {
    const directory = `${parent}/cvmfs-${user}`;
    const failure = claim(parent, directory);
    if (failure === undefined) return directory;
    tried.push(`${directory}: ${failure}`);
  }
  throw new ConfigError('NO_CACHE', `no place for the cache (${tried.join('; ')}): set CVMFS_CACHE_BASE`);
}

/** Somebody else may have made a directory of this name in a shared place: it is not used, nor followed if a link. */
function claim(parent: string, directory: string): string | undefined {
  try {
    const { mode } = statSync(parent);
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) return `${parent} is writable by everybody and not sticky`;
    try {
      mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const found = lstatSync(directory);
    if (!found.isDirectory()) return 'not a directory';
    if (found.uid !== process.geteuid?.()) return `belongs to user ${found.uid}`;
    if ((found.mode & 0o077) !== 0) return 'open to others';
    accessSync(directory, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
