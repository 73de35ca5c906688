// Where mountrepo mounts, and what is mounted there.
import { mkdirSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { privateDirectory } from '../../config/private-directory.ts';
import { type MountEntry, mounts } from '../cvmfs2/mount-point.ts';

/** `under`, or $CVMFSEXEC_MOUNTS, or a directory that is the user's own: made if missing, and free of links. */
export function mountDirectory(under: string | undefined): string {
  const chosen = under || process.env.CVMFSEXEC_MOUNTS;
  const directory = chosen ? resolve(chosen) : `${privateDirectory(process.getuid!(), '/tmp')}/mounts`;
  try {
    mkdirSync(directory, { recursive: true });
    return realpathSync(directory);
  } catch (cause) {
    throw new Error(`cannot make the directory of the mounts, ${directory}: ${(cause as Error).message}`, { cause });
  }
}

/** Mounts of repositories right below `directory`, one for each place. */
export function repositoryMounts(directory: string): MountEntry[] {
  const found = mounts().filter(({ place, type, source }) => {
    const name = place.slice(directory.length + 1);
    return place.startsWith(`${directory}/`) && !name.includes('/') && type.startsWith('fuse') && source === 'cvmfs2';
  });
  return [...new Map(found.map((mount) => [mount.place, mount])).values()];
}
