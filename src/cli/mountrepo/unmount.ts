// Unmounting what mountrepo has mounted: by umount(8) as root, else by fusermount.
import { rmdirSync } from 'node:fs';
import { fusermountUnmount } from '../../launcher/fusermount/mount.ts';
import { runMountProgram } from '../../launcher/mount-program.ts';
import { mountAt } from '../cvmfs2/mount-point.ts';

/** Two that mount at the same time mount on top of each other. */
const MOST_LAYERS = 20;

/** Takes the empty directory away, too. `lazy`: also while it is in use. Rejects with what to do. */
export async function unmountRepository(place: string, lazy: boolean): Promise<void> {
  for (let layer = 0; layer < MOST_LAYERS && (layer === 0 || mountAt(place)?.source === 'cvmfs2'); layer++) {
    await unmountTop(place, lazy);
  }
  removeDirectory(place);
}

async function unmountTop(place: string, lazy: boolean): Promise<void> {
  try {
    if (process.getuid?.() === 0) await runMountProgram('umount', ['-i', ...(lazy ? ['-l'] : []), place]);
    else await fusermountUnmount(place, lazy);
  } catch (cause) {
    const { message } = cause as Error;
    const advice = /busy/.test(message) ? ': end the programs that use it, or unmount it lazily with -z' : '';
    throw new Error(`cannot unmount ${place} (${message})${advice}`, { cause });
  }
}

export function removeDirectory(place: string): void {
  try {
    rmdirSync(place);
  } catch {
    // somebody else's, or not empty
  }
}
