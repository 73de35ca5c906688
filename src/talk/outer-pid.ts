// A server tells its process id as it is called in its own pid namespace; people want to know it by what `ps` shows here.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** undefined: it cannot be seen from here. `namespace` as /proc/<pid>/ns/pid names it. */
export function pidHere(pid: number, namespace: string): number | undefined {
  try {
    if (readlinkSync('/proc/self/ns/pid') === namespace) return pid;
    for (const name of readdirSync('/proc')) {
      if (/^\d+$/.test(name) && isProcess(name, pid, namespace)) return Number(name);
    }
  } catch {
    // no /proc
  }
  return undefined;
}

function isProcess(name: string, pid: number, namespace: string): boolean {
  try {
    const pids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${name}/status`, 'latin1'))?.[1].split(/\s+/) ?? [];
    return Number(pids.at(-1)) === pid && readlinkSync(`/proc/${name}/ns/pid`) === namespace;
  } catch {
    return false; // gone, or another user's
  }
}
