// Where a cache that nobody chose a place for may be. All jobs of a user on a node share it, so places that are the same
// for all of them come first; then the job's own scratch; file systems of many machines last, the home among them.
import { existsSync, statfsSync } from 'node:fs';
import { makeDirectories } from './make-directories.ts';
import { type FileSystemType, networkFileSystem } from './network-file-systems.ts';
import { privateDirectory } from './private-directory.ts';

export interface CachePlaces {
  /** For this job alone, and meant for it: comes before all others. */
  readonly job?: string;
  /** Directories that all users and jobs of the machine have. */
  readonly shared: readonly string[];
  /** Of the job: gone with it. */
  readonly scratch: readonly string[];
  /** Of the user, on all machines. Made if missing. */
  readonly homes: readonly string[];
  /** Default: what statfs(2) says. */
  readonly fileSystemType?: FileSystemType;
  /** A directory in memory for everybody on the node. */
  readonly memory?: string;
}

export interface CacheCandidate {
  /** The private directory of the user; where it was refused, the place in which it would be. */
  readonly directory: string;
  readonly kind: 'shared' | 'scratch' | 'home';
  /** Name of the network file system it is on. */
  readonly network?: string;
  /** Why it cannot be used. */
  readonly refused?: string;
}

/** Bytes; what has less room is of no use, unless the room was taken by the cache itself. */
const LEAST_ROOM = 64 * 1024 * 1024;

/** Those of this machine and of a job with this environment. */
export function systemPlaces(environment: Readonly<Record<string, string | undefined>>): CachePlaces {
  const { HOME, XDG_CACHE_HOME, SLURM_TMPDIR, _CONDOR_SCRATCH_DIR, TMPDIR, CVMFSEXEC_SCRATCH } = environment;
  const absolute = (path: string | undefined): path is string => path?.startsWith('/') === true;
  return {
    ...(CVMFSEXEC_SCRATCH ? { job: `${CVMFSEXEC_SCRATCH}/cvmfscache` } : {}),
    shared: ['/var/lib/cvmfs', '/local', '/var/tmp', '/tmp'],
    scratch: [SLURM_TMPDIR, _CONDOR_SCRATCH_DIR, TMPDIR].filter(absolute),
    homes: [XDG_CACHE_HOME, HOME && `${HOME}/.cache`].filter(absolute),
    memory: '/dev/shm',
  };
}

/** All places, the best first, each tried when it is asked for: the first one without `refused` is the one to take. */
export function* cacheCandidates(user: number, places: CachePlaces): Generator<CacheCandidate> {
  const remote: CacheCandidate[] = [];
  for (const kind of ['shared', 'scratch', 'home'] as const) {
    const parents = { shared: places.shared, scratch: places.scratch, home: places.homes }[kind];
    for (const parent of parents) {
      const network = networkFileSystem(parent, places.fileSystemType);
      // A home comes last anyway.
      if (network && kind !== 'home') remote.push({ directory: parent, kind, network });
      else if (kind === 'home') remote.push({ directory: parent, kind, ...(network ? { network } : {}) });
      else yield attempt(user, { directory: parent, kind });
    }
  }
  for (const candidate of remote) yield attempt(user, candidate);
}

function attempt(user: number, candidate: CacheCandidate): CacheCandidate {
  const { directory: parent, kind } = candidate;
  try {
    if (kind === 'home') makeDirectories(parent, 0o700);
    const directory = privateDirectory(user, parent);
    if (hasRoom(directory)) return { ...candidate, directory };
    return { ...candidate, refused: `${parent} has less than ${LEAST_ROOM >> 20} MB of free space` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { ...candidate, refused: code ? `${parent}: ${code}` : message };
  }
}

function hasRoom(directory: string): boolean {
  if (existsSync(`${directory}/shared/ff`)) return true;
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize >= LEAST_ROOM;
  } catch {
    return true;
  }
}
