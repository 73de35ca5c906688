// Mounts that a server takes over from one that was killed before the kernel had its first answer, or on a kernel that
// cannot repeat its requests.
import { spawn } from 'node:child_process';
import type { Session } from '../../fuse/session.ts';
import { LauncherError } from '../../launcher/error.ts';

const INIT_LIMIT_MS = 10_000;

/** The server before was killed while the kernel waited for its first answer. Only newer kernels ask again. */
export async function initialized({ ready }: Session, fqrn: string): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => {
      const reason = 'its server was killed while it was being mounted';
      reject(new LauncherError('NOT_KEPT', `cannot take over ${fqrn}: ${reason}`));
    }, INIT_LIMIT_MS);
  });
  await Promise.race([ready, late]);
}

/** By another process: this one must not wait for its own answer. */
export function lookAt(directory: string): void {
  spawn('stat', ['-f', directory], { stdio: 'ignore' }).on('error', () => {});
}
