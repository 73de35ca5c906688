// What init (src/launcher/serve.sh) tells the server in its environment, beside its words.
import { closeSync } from 'node:fs';
import type { StatusPlace } from './server/status-events.ts';

/** The caller's directory: relative paths on the command line start there. */
export function callerDirectory(): string {
  const directory = process.env.CVMFSEXEC_DIRECTORY;
  delete process.env.CVMFSEXEC_DIRECTORY;
  return directory ?? process.cwd();
}

/** Descriptors of the caller that sh could not close: whoever waits for their end must not wait for the server. */
export function closeForeignDescriptors(): void {
  for (const number of (process.env.CVMFSEXEC_CLOSE ?? '').split(' ').filter(Boolean)) {
    try {
      closeSync(Number(number));
    } catch {
      // not open any more
    }
  }
  delete process.env.CVMFSEXEC_CLOSE;
}

export interface Inheritance {
  /** Numbers of descriptors of /dev/fuse, one for each repository, which the server's parent keeps open. */
  readonly descriptors: readonly number[];
  /** The mounts of a server that was killed are to be taken over. */
  readonly restarted: boolean;
}

export function inheritance(): Inheritance {
  const { CVMFSEXEC_DESCRIPTORS: descriptors = '', CVMFSEXEC_RESTARTED: restarted } = process.env;
  delete process.env.CVMFSEXEC_DESCRIPTORS;
  delete process.env.CVMFSEXEC_RESTARTED;
  return { descriptors: descriptors.split(' ').filter(Boolean).map(Number), restarted: restarted !== undefined };
}

/** Where the job's events are told (`--status-fd`); undefined: nowhere. */
export function statusPlace(): StatusPlace | undefined {
  const { CVMFSEXEC_STATUS: text } = process.env;
  delete process.env.CVMFSEXEC_STATUS;
  if (text === undefined) return undefined;
  const [fd, pid] = text.split(' ');
  return { fd: Number(fd), commandPid: pid ? Number(pid) : undefined };
}
