// Trying a program out, within a bounded time.
import { execFile } from 'node:child_process';

export interface Attempt {
  readonly succeeded: boolean;
  readonly stdout: string;
  /** The last line of stderr, or why it could not be started. */
  readonly complaint: string;
}

const LIMIT_MS = 10_000;
const SYSTEM_DIRECTORIES = '/usr/bin:/bin:/usr/sbin:/sbin';

/** Never rejects. Programs are looked for where launches do: the system's directories are behind PATH. */
export function tryRun(program: string, args: readonly string[], limit = LIMIT_MS): Promise<Attempt> {
  const env = { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:${SYSTEM_DIRECTORIES}` };
  return new Promise((resolve) => {
    const options = { timeout: limit, killSignal: 'SIGKILL', env, maxBuffer: 1 << 20 } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const last = stderr.trim().split('\n').at(-1) ?? '';
      resolve({ succeeded: !error, stdout, complaint: last || reasonOf(error, limit) });
    });
    child.stdin?.end();
  });
}

/** By the shell: what it is called on this system, undefined when it is not there. */
export async function programAt(name: string): Promise<string | undefined> {
  const { succeeded, stdout } = await tryRun('/bin/sh', ['-c', 'command -v -- "$1"', 'sh', name]);
  return succeeded ? stdout.trim() : undefined;
}

function reasonOf(error: (Error & { code?: unknown; killed?: boolean }) | null, limit: number): string {
  if (!error) return '';
  if (error.killed) return `no answer within ${limit / 1000} s`;
  return error.code === 'ENOENT' ? 'not installed' : `ended with ${error.code}`;
}
