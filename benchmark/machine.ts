// What the machine does beside the benchmark, and what it has in memory.
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Load averages over 1, 5 and 15 minutes. */
export function loadAverage(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
}

/** Waits until the load over a minute is below `limit`, for at most `seconds`. */
export async function waitForQuiet(limit = 2, seconds = 60): Promise<void> {
  const until = performance.now() + seconds * 1000;
  while (Number.parseFloat(loadAverage()) >= limit && performance.now() < until) await sleep(500);
}

/** Makes the kernel forget files, names and attributes. Returns false when one may not. */
export function dropPageCache(): boolean {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    return true;
  } catch {
    return false;
  }
}

export interface ProcessMemory {
  /** VmRSS: all resident pages, also those shared with other processes, in MB of 10^6 bytes. */
  readonly resident: number;
  /** Pss: shared pages count by their share. */
  readonly proportional: number;
}

/** Memory of the largest descendant of `ancestor` whose command line `matches`. @throws Error if there is none */
export function descendantMemory(ancestor: number, matches: (words: readonly string[]) => boolean): ProcessMemory {
  const queue = [ancestor];
  const found: ProcessMemory[] = [];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    if (matches(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'))) found.push(processMemory(pid));
    queue.push(...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
  }
  // The reference client has a small watchdog of the same name.
  found.sort((a, b) => b.resident - a.resident);
  if (found.length === 0) throw new Error(`no server among the descendants of process ${ancestor}`);
  return found[0];
}

function processMemory(pid: number): ProcessMemory {
  const megabytes = (file: string, field: string) => {
    const match = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
    if (!match) throw new Error(`no ${field} in /proc/${pid}/${file}`);
    return (Number(match[1]) * 1024) / 1e6;
  };
  return { resident: megabytes('status', 'VmRSS'), proportional: megabytes('smaps_rollup', 'Pss') };
}
