// The server processes of a job, as seen from outside.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 60_000;
/** A server that ends earlier counts as failed (src/launcher/serve.sh). */
const SERVED_ENOUGH_MS = 1000;

export class Servers {
  readonly #directory: string;
  #served = '';

  /** Those whose program is below `directory`. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  get running(): number[] {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        const line = read(`/proc/${pid}/cmdline`);
        return line.includes(this.#directory) && line.includes('start.cjs\0server\0');
      });
    // A child that a server has forked and that has not yet become another program has the server's words.
    // Nor is it one any more when it has ended since, and then has no parent.
    return pids.filter((pid) => ![0, ...pids].includes(parentOf(pid)));
  }

  /** The pid of one that runs, other than `former`. */
  async next(former?: number): Promise<number> {
    return await until('no server was started', () => this.running.find((pid) => pid !== former));
  }

  /** Resolves when a server that this was not told of before has served for so long that it counts. */
  async serving(): Promise<number> {
    const pid = await until('the server does not serve', () => {
      const [one] = this.running;
      if (one === undefined) return undefined;
      const line = journal(`/proc/${parentOf(one)}/fd/0`).split('\n')[0];
      if (!/^serving \d/.test(line) || line === this.#served) return undefined;
      this.#served = line;
      return one;
    });
    await sleep(SERVED_ENOUGH_MS + 200);
    // One that was killed as it began to serve is followed by another.
    return this.running.includes(pid) ? pid : this.serving();
  }
}

async function until<T>(complaint: string, look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`${complaint} within ${LIMIT_MS / 1000} s`);
    await sleep(10);
  }
}

/** What the parent of a server keeps open as its stdin; '' while that is still the pipe, whose content is the server's. */
function journal(link: string): string {
  try {
    return readlinkSync(link).includes('journal') ? read(link) : '';
  } catch {
    return '';
  }
}

/** '' for what is gone, or nobody's business. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function parentOf(pid: number): number {
  return Number(/\) \S (\d+) /.exec(read(`/proc/${pid}/stat`))?.[1] ?? 0);
}
