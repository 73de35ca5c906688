// Is somebody who waits for a reply being killed? Only then may a request be answered with EINTR: open, stat and readdir are not supposed
// to fail because of SIGCHLD, SIGALRM or a job control stop.

import { readFileSync } from 'node:fs';

/** Bit of signal `number` in the masks of /proc/PID/status. */
const bit = (number: number): bigint => 1n << BigInt(number - 1);

const SIGKILL = bit(9);
/** CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH do not end a process by default. */
const NOT_FATAL = [17, 18, 19, 20, 21, 22, 23, 28].reduce((mask, number) => mask | bit(number), 0n);

/** `status` is the text of /proc/PID/status (of a thread, as FUSE names them). */
export function hasFatalSignal(status: string): boolean {
  const mask = (field: string): bigint => {
    const digits = new RegExp(`^${field}:\\s*([0-9a-f]{1,16})$`, 'm').exec(status)?.[1];
    return digits === undefined ? 0n : BigInt(`0x${digits}`);
  };
  const pending = mask('SigPnd') | mask('ShdPnd');
  if (pending & SIGKILL) return true;
  return (pending & ~(mask('SigBlk') | mask('SigIgn') | mask('SigCgt') | NOT_FATAL)) !== 0n;
}

/**
 * False when it cannot be known: the process is gone, or of another pid namespace (`pid` 0). Reading "status" takes no lock that a
 * process waiting for us could hold, unlike "cmdline" or "maps".
 */
export function isBeingKilled(pid: number): boolean {
  if (pid === 0) return false;
  try {
    return hasFatalSignal(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}
