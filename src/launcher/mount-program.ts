// mount(8) and umount(8): Node has no system call for either.
import { spawn } from 'node:child_process';

/** Number under which mount(8) sees the descriptor. */
export const CHILD_FD = 3;
const LIMIT_MS = 20_000;

export interface MountProgramOptions {
  /** Inherited as CHILD_FD. */
  readonly fd?: number;
  /** Run it as these, where the effective ids are others. */
  readonly as?: { readonly uid: number; readonly gid: number };
  /** Told its process id before it can have done anything. */
  readonly started?: (pid: number) => void;
}

/** Rejects with what the program said. */
export function runMountProgram(
  program: 'mount' | 'umount',
  args: readonly string[],
  { fd, as, started }: MountProgramOptions = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe', ...(fd === undefined ? [] : [fd])],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      ...as,
    });
    if (child.pid !== undefined) started?.(child.pid);
    let said = '';
    child.stderr?.on('data', (data: Buffer) => {
      said += data.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(oneLine(said) || `${program} ended with ${signal ?? code}`));
    });
  });
}

/** Without the advice to look into the kernel's log, where the kernel writes nothing about FUSE. */
function oneLine(text: string): string {
  return text
    .replace(/\s*dmesg\(1\) may have.*/, '')
    .trim()
    .replace(/\s*\n\s*/g, '; ');
}
