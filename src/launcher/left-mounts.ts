// mount(8) programs that a server which was killed has left at work. To mount the same descriptor once more beside one of them
// could give two mounts on top of each other: mounting by fsopen(2), as util-linux does from 2.39 on, is no single step, and
// the kernel lets a descriptor that has a file system already be mounted again.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;
/** As long as a server gives its own. */
const LIMIT_MS = 20_000;
/** How long a child of the server before may need until it is another program. */
const BECOME_MS = 2000;

/**
 * Of this mount namespace, by the directory they mount. To be called before this process has children: looks at all processes
 * that /proc shows, and waits until what the server before has forked has become what it shall be.
 */
export function leftMounts(): Map<string, number> {
  const until = performance.now() + BECOME_MS;
  const namespace = readlinkSync('/proc/self/ns/mnt');
  const own = words('self').join('\0');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const left = new Map<string, number>();
    let becoming = false;
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid || mountNamespace(pid) !== namespace) continue;
      const args = words(pid);
      const directory = mountedBy(args);
      if (directory !== undefined) left.set(directory, Number(pid));
      else if (args.join('\0') === own) becoming = true;
    }
    if (!becoming || performance.now() > until) return left;
    Atomics.wait(pause, 0, 0, POLL_MS);
  }
}

/** Resolves when `pid` does not mount `directory` any more; after a while it is killed. */
export async function leftMountEnded(pid: number, directory: string): Promise<void> {
  const since = performance.now();
  let limit = LIMIT_MS;
  while (mountedBy(words(String(pid))) === directory) {
    if (performance.now() - since > limit) {
      // It may be beyond that as well, within the kernel.
      if (limit > LIMIT_MS) return;
      limit += BECOME_MS;
      kill(pid);
    }
    await sleep(POLL_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
}

/** Of `mount … -t fuse … SOURCE DIRECTORY`, with whatever runs it before that. */
function mountedBy(args: readonly string[]): string | undefined {
  const type = args.indexOf('-t');
  return type > 0 && args[type + 1] === 'fuse' ? args.at(-1) : undefined;
}

/** [] for what has ended, also if its parent has not noticed. */
function words(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

function mountNamespace(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}
