// access(2) by mode bits, for mounts where the kernel does not check by itself (somebody else mounted them).
import { readFileSync } from 'node:fs';
import type { Attributes, Caller } from '../fuse/operations.ts';

export const EXECUTE = 1;
export const WRITE = 2;
export const READ = 4;

/** `mask`: a union of READ, WRITE, EXECUTE. Root of the mount's namespace passes, but may execute only what anybody may. */
export function mayAccess(attributes: Attributes, caller: Caller, mask: number): boolean {
  const { mode } = attributes;
  if (caller.uid === 0) return (mask & EXECUTE) === 0 || (mode & 0o40111) !== 0;
  let shift = 0;
  if (attributes.uid === caller.uid) shift = 6;
  else if (attributes.gid === caller.gid || supplementaryGroups(caller.pid).includes(attributes.gid)) shift = 3;
  return ((mode >> shift) & mask) === mask;
}

/** Group ids of a process as this process' user namespace names them; none when it is gone or not visible. */
function supplementaryGroups(pid: number): number[] {
  if (pid === 0) return [];
  try {
    const line = /^Groups:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return line ? line[1].trim().split(/\s+/).map(Number) : [];
  } catch {
    return [];
  }
}
