// Which session a process belongs to: credentials are those of a session (client.md §10.3).
import { readFileSync, statSync } from 'node:fs';

export interface ProcessSession {
  /** The same as long as the session lasts, and never again. */
  readonly key: string;
  readonly uid: number;
  readonly gid: number;
}

/** Undefined when there is no such process, or it is not to be seen from here. */
export function sessionOf(pid: number, proc = '/proc'): ProcessSession | undefined {
  const own = readStat(pid, proc);
  if (!own) return undefined;
  // Of a session that was made outside of this namespace.
  const session = own.session === 0 ? 1 : own.session;
  const leader = readStat(session, proc);
  const { uid, gid } = own;
  return { key: `${session} ${leader?.started ?? 0} ${uid} ${gid}`, uid, gid };
}

function readStat(pid: number, proc: string) {
  const file = `${proc}/${pid}/stat`;
  try {
    const { uid, gid } = statSync(file);
    const text = readFileSync(file, 'latin1');
    // The name, in parentheses, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { session: Number(fields[3]), started: Number(fields[19]), uid, gid };
  } catch {
    return undefined;
  }
}
