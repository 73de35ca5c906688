// The cache of a repository: which kind, where, how large (client.md §6).
import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { CacheSettings, DirectoryCache, MemoryCache } from '../../cache/settings.ts';
import { type CachePlaces, cacheCandidates, systemPlaces } from '../../config/cache-candidates.ts';
import { type CachePlace, cachePlace, rank } from '../../config/cache-place.ts';
import { ConfigError } from '../../config/error.ts';
import { networkFileSystem } from '../../config/network-file-systems.ts';
import type { Parameters } from '../../config/parameters.ts';
import { privateDirectory } from '../../config/private-directory.ts';
import type { RepositorySettings } from '../../filesystem/mounted-repository.ts';
import { outerUserId } from '../../launcher/outer-user.ts';
import { ContentHash } from '../../objects/hash.ts';

const MEGABYTE = 1 << 20;
const DEFAULT_INSTANCE = 'default';
const LEAST_MEMORY = 40 * MEGABYTE;

/**
 * @param report told what is bad about the cache's place
 * @throws ConfigError CONFLICT, NO_CACHE, BAD_VALUE
 */
export function cacheSettings(
  parameters: Parameters,
  report: (message: string) => void,
  places: CachePlaces = systemPlaces(process.env),
): Required<Pick<RepositorySettings, 'cacheDirectory' | 'cache' | 'streaming'>> & Pick<RepositorySettings, 'maxTtl'> {
  const place = cachePlace(parameters, outerUserId(), places);
  if (place.warning) report(place.warning);
  const maxTtl = parameters.number('CVMFS_MAX_TTL', 0) * 60;
  const cache = instance(parameters, place, parameters.get('CVMFS_CACHE_PRIMARY') || DEFAULT_INSTANCE, []);
  return {
    cacheDirectory: place.directory,
    cache: withClaims(withLocalAccounts(cache, places), places),
    streaming: parameters.isOn('CVMFS_STREAMING_CACHE'),
    maxTtl: maxTtl > 0 ? maxTtl : undefined,
  };
}

/**
 * Locks and appended lines are not to be relied on between machines: there, the accounts of a cache on a network file system
 * are kept on the node, and each node counts what the others put there when it looks through the directory.
 */
function withLocalAccounts(cache: CacheSettings, places: CachePlaces): CacheSettings {
  if (cache.kind === 'tiered') {
    const upper = withLocalAccounts(cache.upper, places) as DirectoryCache | MemoryCache;
    return { ...cache, upper };
  }
  if (cache.kind === 'ram' || cache.access !== 'private') return cache;
  if (!networkFileSystem(existingPart(cache.directory), places.fileSystemType)) return cache;
  for (const { directory, network, refused } of cacheCandidates(outerUserId(), { ...places, homes: [] })) {
    if (refused !== undefined || network !== undefined) continue;
    return { ...cache, quotaDirectory: `${directory}/quota.v1-${shortName(cache.directory)}` };
  }
  // No place for locks: better no limit than one that nobody agrees on.
  return { ...cache, limit: undefined };
}

/** All who have the cache must come to the same place: those who see another /dev/shm fetch for themselves. */
function withClaims(cache: CacheSettings, places: Pick<CachePlaces, 'memory'>): CacheSettings {
  if (cache.kind === 'tiered') {
    return { ...cache, upper: withClaims(cache.upper, places) as DirectoryCache | MemoryCache };
  }
  const { memory } = places;
  if (cache.kind === 'ram' || cache.access !== 'private' || memory === undefined) return cache;
  try {
    const base = privateDirectory(outerUserId(), memory);
    return { ...cache, claimsDirectory: `${base}/fetching-${shortName(cache.directory)}` };
  } catch {
    return cache;
  }
}

/** For a directory elsewhere that belongs to this one. */
function shortName(directory: string): string {
  return ContentHash.of('sha1', Buffer.from(directory)).hex.slice(0, 16);
}

/** A cache that is not made yet will be on the file system of what is above it. */
function existingPart(path: string): string {
  return existsSync(path) || path === '/' ? path : existingPart(dirname(path));
}

/** `above`: the instances that led here. */
function instance(parameters: Parameters, place: CachePlace, name: string, above: readonly string[]): CacheSettings {
  if (!/^[A-Za-z0-9_]{1,24}$/.test(name)) {
    throw wrong(`'${name}' is no name of a cache instance: letters, digits and '_', at most 24`);
  }
  if (above.includes(name)) throw wrong(`the cache instance '${name}' is a tier of itself`);
  if (name === DEFAULT_INSTANCE) return defaultInstance(parameters, place);
  const get = (key: string): string | undefined => parameters.get(`CVMFS_CACHE_${name}_${key}`);
  const type = get('TYPE') ?? '';
  switch (type) {
    case 'posix':
      return posix(parameters, place, name);
    case 'ram':
      return { kind: 'ram', limit: memoryLimit(name, get('SIZE')) };
    case 'tiered': {
      const tier = (key: string): CacheSettings => {
        const other = get(key);
        if (!other) throw wrong(`the tiered cache '${name}' needs CVMFS_CACHE_${name}_${key}`);
        return instance(parameters, place, other, [...above, name]);
      };
      const [upper, lower] = [tier('UPPER'), tier('LOWER')];
      if (upper.kind === 'tiered') throw wrong(`the upper tier of the cache '${name}' must not be tiered itself`);
      if (lower.kind !== 'posix') throw wrong(`the lower tier of the cache '${name}' must be of type posix`);
      const readOnly = parameters.isOn(`CVMFS_CACHE_${name}_LOWER_READONLY`);
      return { kind: 'tiered', upper, lower: readOnly ? { ...lower, access: 'read-only' } : lower };
    }
    default:
      throw wrong(`CVMFS_CACHE_${name}_TYPE is '${type}': it must be posix, ram or tiered`);
  }
}

function defaultInstance(parameters: Parameters, place: CachePlace): DirectoryCache {
  const alien = parameters.get('CVMFS_CACHE_ALIEN') || parameters.get('CVMFS_ALIEN_CACHE');
  if (alien) {
    refuseWith(parameters, 'CVMFS_QUOTA_LIMIT', quotaLimit(parameters) !== undefined);
    refuseWith(parameters, 'CVMFS_SHARED_CACHE', parameters.isOn('CVMFS_SHARED_CACHE'));
    return { kind: 'posix', directory: alien, access: 'alien' };
  }
  if (place.readOnly) return { kind: 'posix', directory: place.readOnly, access: 'read-only' };
  return { kind: 'posix', directory: place.directory, access: 'private', limit: quotaLimit(parameters) };
}

/** Not by what is built in, nor by a source that could not know of the alien cache. */
function refuseWith(parameters: Parameters, name: string, isOn: boolean): void {
  if (isOn && rank(parameters, name) >= Math.max(1, rank(parameters, 'CVMFS_ALIEN_CACHE'))) {
    const value = parameters.get(name);
    throw new ConfigError('CONFLICT', `CVMFS_ALIEN_CACHE excludes ${name}=${value}: unset one of them`);
  }
}

function posix(parameters: Parameters, { directory: workspace }: CachePlace, name: string): DirectoryCache {
  const get = (key: string): string | undefined => parameters.get(`CVMFS_CACHE_${name}_${key}`);
  const alien = get('ALIEN');
  if (alien) return { kind: 'posix', directory: alien, access: 'alien' };
  const base = get('BASE') ?? get('CACHE_BASE');
  const shared = parameters.isOn(`CVMFS_CACHE_${name}_SHARED`);
  const directory = get('DIR') ?? (base ? `${base}/${shared ? 'shared' : parameters.fqrn}` : `${workspace}.${name}`);
  const limit = bytesOf(parameters.number(`CVMFS_CACHE_${name}_QUOTA_LIMIT`, 1024));
  return { kind: 'posix', directory, access: 'private', limit };
}

function quotaLimit(parameters: Parameters): number | undefined {
  const name = parameters.get('CVMFS_CACHE_QUOTA_LIMIT') ? 'CVMFS_CACHE_QUOTA_LIMIT' : 'CVMFS_QUOTA_LIMIT';
  return bytesOf(parameters.number(name, 4000));
}

function bytesOf(megabytes: number): number | undefined {
  return megabytes > 0 ? megabytes * MEGABYTE : undefined;
}

/** Megabytes, or per cent of the machine's memory. */
function memoryLimit(name: string, size: string | undefined): MemoryCache['limit'] {
  if (!size) return Math.max(LEAST_MEMORY, Math.floor(totalmem() / 32));
  const [, digits, percent] = /^(\d+)(%?)$/.exec(size) ?? [];
  if (!digits) throw wrong(`CVMFS_CACHE_${name}_SIZE is '${size}': it must be megabytes or a percentage such as 5%`);
  return Math.max(LEAST_MEMORY, percent ? Math.floor((totalmem() * Number(digits)) / 100) : Number(digits) * MEGABYTE);
}

function wrong(message: string): ConfigError {
  return new ConfigError('BAD_VALUE', message);
}
