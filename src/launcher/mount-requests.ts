// What processes of a job ask for from inside (src/launcher/request.sh): lines of a pipe,
//   ACTION PID FD TRY NAME PIPE
// The answer, `STATUS TEXT`, goes to the stdout of process PID, which must be PIPE. Only those who have the writing end
// of the requests' pipe as descriptor FD are answered: nobody can have a line written to a process of somebody else.
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import type { InputLines } from './input-lines.ts';

export interface MountRequest {
  /** `detach`: unmount also what is in use. */
  readonly action: 'mount' | 'unmount' | 'detach';
  /** As people give it: may lack the domain. */
  readonly name: string;
  /** It was made before, perhaps to a server that was killed when it had done it. */
  readonly repeated: boolean;
}

const LINE = /^(mount|unmount|detach) (\d{1,10}) (\d{1,4}) (\d{1,4}) ([A-Za-z0-9._-]{1,255}) (pipe:\[\d+\])$/;
/** Whoever asks waits a little longer. */
const ANSWER_WITHIN_MS = 100_000;
/** A line to a pipe is whole up to this. */
const ANSWER_BYTES = 4000;

/** Has `handle` do what is asked for, until the lines end. It rejects with the reason that the asking process prints. */
export async function serveRequests(
  lines: InputLines,
  pipe: number,
  handle: (request: MountRequest) => Promise<void>,
): Promise<void> {
  const inProgress = new Set<string>();
  const own = pipeName(fstatSync(pipe).ino);
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    const [, action, pid, fd, attempt, name, answers] = LINE.exec(line) ?? [];
    if (!action) continue;
    const key = `${pid} ${action} ${name}`;
    if (inProgress.has(key)) continue;
    inProgress.add(key);
    const request = { action: action as MountRequest['action'], name, repeated: Number(attempt) > 1 };
    const answered = inTime(handle(request)).then(
      () => '0',
      (error: Error) => `1 ${error.message.replace(/\s*\n\s*/g, '; ')}`,
    );
    answered.then((answer) => {
      inProgress.delete(key);
      if (answers !== own) tell(Number(pid), { [fd]: own, 1: answers }, answer);
    });
  }
}

/** As /proc/PID/fd shows it. */
function pipeName(inode: number): string {
  return `pipe:[${inode}]`;
}

async function inTime(done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not done within ${ANSWER_WITHIN_MS / 1000} s; it is still being tried`)),
      ANSWER_WITHIN_MS,
    );
  });
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param open what the process must have open, by number */
function tell(pid: number, open: Readonly<Record<string, string>>, answer: string): void {
  for (const process of [String(pid), ...calledInside(pid)]) {
    if (Object.entries(open).some(([fd, pipe]) => linkOf(process, fd) !== pipe)) continue;
    try {
      const file = openSync(`/proc/${process}/fd/1`, constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        writeSync(file, `${answer.slice(0, ANSWER_BYTES)}\n`);
      } finally {
        closeSync(file);
      }
    } catch {
      // gone meanwhile
    }
    return;
  }
}

function linkOf(process: string, fd: string): string {
  try {
    return readlinkSync(`/proc/${process}/fd/${fd}`);
  } catch {
    return '';
  }
}

/** Processes that are called so in a pid namespace below ours, as in a container. */
function* calledInside(pid: number): Generator<string> {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const pids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${name}/status`, 'latin1'))?.[1].split(/\s+/) ?? [];
      if (pids.length > 1 && Number(pids.at(-1)) === pid) yield name;
    } catch {
      // gone
    }
  }
}
