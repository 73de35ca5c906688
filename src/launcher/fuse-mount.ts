// Mounting a FUSE file system inside our own namespaces: the system call is made by mount(8), which inherits the
// descriptor. The caller must serve the descriptor while it waits: mount(8) may look at the mount.
import { mkdirSync, openSync } from 'node:fs';
import { isMounted } from '../fuse/is-mounted.ts';
import { mountOptions } from '../fuse/mount-options.ts';
import { LauncherError } from './error.ts';
import { leftMountEnded } from './left-mounts.ts';
import { CHILD_FD, runMountProgram } from './mount-program.ts';

/** @throws LauncherError NO_FUSE */
export function openFuse(): number {
  try {
    return openSync('/dev/fuse', 'r+');
  } catch (cause) {
    const hint = 'it must exist and be readable and writable for everybody (udev sets mode 0666; load the module fuse)';
    throw new LauncherError(
      'NO_FUSE',
      `cannot open /dev/fuse (${(cause as NodeJS.ErrnoException).code}): ${hint}`,
      cause,
    );
  }
}

export interface MountOptions {
  /** Default: `directory` is made if missing. Where it is, this process itself answers, it must not. */
  readonly makeDirectory?: boolean;
  /** What is mounted on directories in it is seen in mount namespaces that follow this one. */
  readonly shared?: boolean;
  /** Told which process mounts, before it begins. */
  readonly started?: (pid: number) => void;
  /** A process that mounts it already (see left-mounts.ts): it is waited for. */
  readonly left?: number;
}

/**
 * Mounts `fd` read-only at `directory`, unless it is mounted already. `source` is what /proc/mounts shows. Resolves when the
 * kernel has mounted it; rejects with what mount(8) said.
 */
export async function mountFuse(
  fd: number,
  source: string,
  directory: string,
  { makeDirectory = true, shared, started, left }: MountOptions = {},
): Promise<void> {
  if (left !== undefined) {
    started?.(left);
    await leftMountEnded(left, directory);
  }
  if (isMounted(fd)) return;
  if (makeDirectory) makeMountPoint(directory);
  // Everybody inside the namespaces may enter: programs in nested user namespaces have other ids.
  const options = mountOptions({ fd: CHILD_FD, uid: 0, gid: 0, readOnly: true, allowOther: true });
  const words = ['-i', '-t', 'fuse', '-o', options, ...(shared ? ['--make-shared'] : []), source, directory];
  try {
    await runMountProgram('mount', words, { fd, started });
  } catch (error) {
    throw new LauncherError('MOUNT_FAILED', `cannot mount ${directory}: ${(error as Error).message}`, error);
  }
}

/** @param lazy also while it is in use */
export async function unmount(directory: string, lazy: boolean): Promise<void> {
  try {
    await runMountProgram('umount', ['-n', ...(lazy ? ['-l'] : []), directory]);
  } catch (error) {
    const reason = (error as Error).message.replace(/^umount: [^:]*: /, '');
    throw new LauncherError('UNMOUNT_FAILED', `cannot unmount ${directory}: ${reason}`, error);
  }
}

/** Without looking into it: it may be mounted already, by a server that was killed, and nobody would answer. */
function makeMountPoint(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
}
