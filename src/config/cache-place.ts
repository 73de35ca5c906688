// Where the cache is: where the user or the site says, else the best place there is.
import { accessSync, constants, existsSync } from 'node:fs';
import { type CacheCandidate, type CachePlaces, cacheCandidates } from './cache-candidates.ts';
import { ConfigError } from './error.ts';
import { makeDirectories } from './make-directories.ts';
import { networkFileSystem } from './network-file-systems.ts';
import type { Parameters } from './parameters.ts';

export interface CachePlace {
  /** Can be written to. */
  readonly directory: string;
  /** The cache that was chosen, where it can only be read: `directory` is a place for all else then. */
  readonly readOnly?: string;
  /** Why another place than the configured one was taken, or what is bad about it. */
  readonly warning?: string;
}

/**
 * CVMFS_CACHE_DIR, or below CVMFS_CACHE_BASE, whichever was set by the later source; else, or where the files name a
 * directory that cannot be used, in a private directory of `user` in the first fit of `places` (cache-candidates.ts).
 * `user`: the user id outside of all namespaces, so that two users never meet.
 * @throws ConfigError CONFLICT, NO_CACHE
 */
export function cachePlace(parameters: Parameters, user: number, places: CachePlaces): CachePlace {
  const name = chosenName(parameters);
  if (!name) return bestPlace(parameters, user, places);
  const value = parameters.get(name) as string;
  const directory = name === 'CVMFS_CACHE_DIR' ? value : below(value, parameters);
  const failure = makeUsable(directory);
  if (failure === undefined) return { directory, ...warningFor(directory, places) };
  if (existsSync(`${directory}/ff`)) return { ...bestPlace(parameters, user, places), readOnly: directory };
  const problem = `cannot use the cache directory ${directory}`;
  const source = parameters.source(name);
  // What the user asked for is not replaced silently; what the site's files say may not be meant for users at all.
  if (typeof source !== 'object') {
    throw new ConfigError('NO_CACHE', `${problem} (${failure}): set ${name} to a writable one`);
  }
  const { directory: other } = bestPlace(parameters, user, places);
  return { directory: other, warning: `${problem} of ${source.file}:${source.line} (${failure}): using ${other}` };
}

function bestPlace(parameters: Parameters, user: number, places: CachePlaces): CachePlace {
  if (places.job && makeUsable(places.job) === undefined) return { directory: below(places.job, parameters) };
  const refused: string[] = [];
  for (const candidate of cacheCandidates(user, places)) {
    if (candidate.refused === undefined) return placeAt(candidate, parameters, places);
    refused.push(candidate.refused);
  }
  throw new ConfigError('NO_CACHE', `no place for the cache (${refused.join('; ')}): set CVMFS_CACHE_BASE`);
}

function placeAt({ directory }: CacheCandidate, parameters: Parameters, places: CachePlaces): CachePlace {
  return { directory: below(directory, parameters), ...warningFor(directory, places) };
}

function warningFor(directory: string, { fileSystemType }: CachePlaces): Pick<CachePlace, 'warning'> {
  const network = networkFileSystem(directory, fileSystemType);
  if (!network) return {};
  return {
    warning: `the cache ${directory} is on ${network}, which all machines share and which is slow for many small files: set CVMFS_CACHE_BASE to a local disk`,
  };
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

/** The level of a parameter's source, the later the higher; 0: nobody set it to anything. */
export function rank(parameters: Parameters, name: string): number {
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
