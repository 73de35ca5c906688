// Mounting a FUSE file system inside our own namespaces: the descriptor is opened here, the system call is made by
// mount(8), which inherits it. The caller must serve the descriptor while it waits: mount(8) may look at the mount.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { mountOptions } from '../fuse/mount-options.ts';
import { LauncherError } from './error.ts';

/** Number under which mount(8) sees the descriptor. */
const CHILD_FD = 3;
const MOUNT_TIMEOUT_MS = 20_000;

export interface FuseMount {
  /** Descriptor of /dev/fuse; nobody else holds it. */
  readonly fd: number;
  /** Resolves when the kernel has mounted it; rejects with what mount(8) said. */
  readonly mounted: Promise<void>;
}

/** Mounts read-only at `directory`, which is made if missing. `source` is what /proc/mounts shows. */
export function mountFuse(source: string, directory: string): FuseMount {
  mkdirSync(directory, { recursive: true });
  let fd: number;
  try {
    fd = openSync('/dev/fuse', 'r+');
  } catch (cause) {
    const hint = 'it must exist and be readable and writable for everybody (udev sets mode 0666; load the module fuse)';
    throw new LauncherError(
      'NO_FUSE',
      `cannot open /dev/fuse (${(cause as NodeJS.ErrnoException).code}): ${hint}`,
      cause,
    );
  }
  // Everybody inside the namespaces may enter: programs in nested user namespaces have other ids.
  const options = mountOptions({ fd: CHILD_FD, uid: 0, gid: 0, readOnly: true, allowOther: true });
  const mounted = run('mount', ['-i', '-t', 'fuse', '-o', options, source, directory], fd).catch((error: Error) => {
    closeSync(fd);
    throw new LauncherError('MOUNT_FAILED', `cannot mount ${directory}: ${error.message}`, error);
  });
  return { fd, mounted };
}

function run(program: string, args: readonly string[], fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      timeout: MOUNT_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stderr?.on('data', (data: Buffer) => {
      said += data.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(said.trim().replace(/\s*\n\s*/g, '; ') || `${program} ended with ${signal ?? code}`));
    });
  });
}
