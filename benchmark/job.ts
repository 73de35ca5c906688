// Processes of a benchmark: every one has a time-out, a process group of its own, and ends with the benchmark.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { OrdinaryUser } from './ordinary-user.ts';

export interface JobOptions {
  readonly user: OrdinaryUser;
  readonly timeoutSeconds?: number;
  /** Called for every line of stderr, which is then not kept. */
  readonly onErrorLine?: (line: string) => void;
  /** Called for every line of stdout, with a way to write to stdin. */
  readonly onLine?: (line: string, job: RunningJob) => void;
}

export interface RunningJob {
  readonly pid: number;
  write(text: string): void;
}

export interface FinishedJob {
  /** Lines of stdout. */
  readonly lines: readonly string[];
  /** From just before the start until the process had ended. */
  readonly milliseconds: number;
}

const running = new Set<ChildProcess>();

/** Ends all that is still running, for example on ^C. */
export function killAllJobs(): void {
  for (const child of running) killGroup(child);
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // ended meanwhile
  }
}

/** Starts a program as `user` with a small environment. It is killed when the benchmark is. */
export function startProcess(argv: readonly string[], user: OrdinaryUser): ChildProcess {
  const [file, ...words] = argv;
  const child = spawn(file, words, {
    ...(user.change ? { uid: user.uid, gid: user.gid } : {}),
    cwd: '/',
    detached: true,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', HOME: '/' },
    stdio: 'pipe',
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  child.stdin?.on('error', () => {}); // it did not want to read
  return child;
}

/** Runs a program to its end. @throws Error when it fails or takes longer than its time-out */
export async function runJob(argv: readonly string[], options: JobOptions): Promise<FinishedJob> {
  const { user, timeoutSeconds = 180, onLine, onErrorLine } = options;
  const started = process.hrtime.bigint();
  const child = startProcess(argv, user);
  const ended = new Promise<{ code: number | null; milliseconds: number }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve({ code, milliseconds: Number(process.hrtime.bigint() - started) / 1e6 }));
  });
  ended.catch(() => {}); // waited for below
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child);
  }, timeoutSeconds * 1000);
  const job = { pid: child.pid ?? 0, write: (text: string) => void child.stdin?.write(text) };
  const lines: string[] = [];
  const complaints: string[] = [];
  if (!onLine) child.stdin?.end();
  try {
    await Promise.all([
      eachLine(child.stdout!, (line) => {
        lines.push(line);
        onLine?.(line, job);
      }),
      eachLine(child.stderr!, onErrorLine ?? ((line) => void complaints.push(line))),
    ]);
    const { code, milliseconds } = await ended;
    if (late) throw new Error(`${argv.join(' ')}: not done after ${timeoutSeconds} s`);
    if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}: ${complaints.slice(-5).join('\n')}`);
    return { lines, milliseconds };
  } finally {
    clearTimeout(timer);
    killGroup(child);
  }
}

async function eachLine(stream: NodeJS.ReadableStream, use: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) use(line);
}
