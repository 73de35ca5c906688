// Where the cache is, why there, and whether it has room.
import { statfsSync } from 'node:fs';
import { type CachePlaces, cacheCandidates, systemPlaces } from '../config/cache-candidates.ts';
import { networkFileSystem } from '../config/network-file-systems.ts';
import { outerUserId } from '../launcher/outer-user.ts';
import type { Check, Finding } from './finding.ts';

const MEGABYTE = 1 << 20;
const TOO_LITTLE = 64 * MEGABYTE;
const LITTLE = 1024 * MEGABYTE;

/** `directory`: of a repository; undefined: what a repository without settings of its own gets. */
export function cacheCheck(directory?: string, places: CachePlaces = systemPlaces(process.env)): Check {
  return {
    subject: 'cache',
    async run() {
      const refused: string[] = [];
      let best: string | undefined;
      for (const candidate of cacheCandidates(outerUserId(), places)) {
        if (candidate.refused === undefined) {
          best = candidate.directory;
          break;
        }
        refused.push(candidate.refused);
      }
      const taken = directory ?? best;
      if (taken === undefined) return noPlace(refused);
      const chosen = best === undefined || !(taken === best || taken.startsWith(`${best}/`));
      return [place(taken, chosen ? undefined : refused), room(taken)];
    },
  };
}

function noPlace(refused: readonly string[]): Finding {
  const text = `no place for it: ${refused.join('; ')}`;
  return { subject: 'cache', state: 'problem', text, advice: 'set CVMFS_CACHE_BASE to a directory on local disk' };
}

/** `refused`: better places that could not be taken; undefined: it was not looked for, but configured. */
function place(directory: string, refused: readonly string[] | undefined): Finding {
  const subject = 'cache';
  const network = networkFileSystem(directory);
  const why =
    refused === undefined
      ? 'as configured'
      : refused.length === 0
        ? 'the best place'
        : `cannot be used: ${refused.join('; ')}`;
  if (!network) return { subject, state: 'ok', text: `${directory} (${why})` };
  const advice = 'set CVMFS_CACHE_BASE to a directory on local disk';
  return { subject, state: 'warning', text: `${directory} is on ${network}, which is slow (${why})`, advice };
}

function room(directory: string): Finding {
  const subject = 'free space';
  const { bavail, bsize, blocks } = statfsSync(directory);
  const free = bavail * bsize;
  const text = `${sizeText(free)} of ${sizeText(blocks * bsize)}`;
  if (free >= LITTLE) return { subject, state: 'ok', text };
  const advice = 'free some, or set CVMFS_CACHE_BASE to a larger disk';
  return { subject, state: free < TOO_LITTLE ? 'problem' : 'warning', text: `only ${text}`, advice };
}

function sizeText(bytes: number): string {
  const gigabytes = bytes / 2 ** 30;
  return gigabytes >= 1 ? `${gigabytes.toFixed(gigabytes < 10 ? 1 : 0)} GB` : `${Math.floor(bytes / MEGABYTE)} MB`;
}
