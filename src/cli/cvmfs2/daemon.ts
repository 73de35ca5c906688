// Into the background, as the reference does: the process that was started returns when the file system answers. Node cannot
// fork, so that the one in the background is the same program started again, in a session of its own, with `-f` and with
// pipes for stdout and stderr: what it says until then is passed on, and nothing of the caller's stays open in it.
import { type ChildProcess, spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { RECEIVER_LIMIT_S } from '../../launcher/fusermount/descriptor-receivers.ts';
import { EXPECTED_COMPLAINT } from '../../launcher/fusermount/fuse-native.ts';
import { ExitCode, MountFailure } from './exit-codes.ts';

const READY = 'mounted\n';
const NO_ANSWER = `fusermount did not answer within ${RECEIVER_LIMIT_S} s: is the mount point on a file system that hangs?`;
const MARK = 'CVMFS2_BACKGROUND';

export interface Background {
  /** A descriptor that the file system is served on, handed on under its number. */
  readonly fd?: number;
  /** Words of what becomes the program in the background when it has a descriptor for it. */
  readonly receiver?: readonly string[];
}

export async function startInBackground(words: readonly string[], { fd, receiver = [] }: Background): Promise<number> {
  const inherited = fd === undefined ? [] : [...new Array<'ignore'>(fd - 3).fill('ignore'), fd];
  const [file, ...args] = [...receiver, thisProgram(), '-f', ...words];
  const child = spawn(file, args, {
    detached: true,
    env: { ...process.env, [MARK]: '1' },
    stdio: ['ignore', 'pipe', 'pipe', ...inherited],
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill('SIGTERM'));
  child.stderr?.on('data', (data: Buffer) =>
    process.stderr.write(data.toString('latin1').replace(EXPECTED_COMPLAINT, ''), 'latin1'),
  );
  return outcome(child);
}

/** The one of bin/, which closes what is none of our business and finds a Node. */
export function thisProgram(): string {
  const program = process.env.CVMFSEXEC_PROGRAM;
  if (program) return program;
  throw new MountFailure(ExitCode.unknown, 'this needs to be started as bin/cvmfs2');
}

/** Of the start: 0 when it serves, else how it ended. */
function outcome(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.on('error', (cause) => reject(new MountFailure(ExitCode.unknown, `cannot start: ${cause.message}`, cause)));
    child.on('close', (code, signal) => {
      // By the receiver's own clock.
      if (signal === 'SIGALRM') reject(new MountFailure(ExitCode.mount, NO_ANSWER));
      else resolve(code ?? ExitCode.unknown);
    });
    child.stdout?.on('data', (data: Buffer) => {
      said += data.toString('latin1');
      if (!said.endsWith(READY)) return;
      process.stdout.write(said.slice(0, -READY.length));
      resolve(ExitCode.ok);
    });
  });
}

/** Whether this is the one in the background. Programs that it starts are not. */
export function isInBackground(): boolean {
  const marked = process.env[MARK] !== undefined;
  delete process.env[MARK];
  return marked;
}

/** Lets the process that was started return. Nobody reads the pipes from now on. */
export function tellReady(): void {
  try {
    writeSync(1, READY);
  } catch {
    // killed meanwhile
  }
}
