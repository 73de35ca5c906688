// Runs jobs of the launcher as an ordinary user: a copy of the package with the stand-in server in the place of the real
// one, so that what is seen is the launcher's work alone.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRoot, user } from '../support/ordinary-user.ts';

const checkout = join(import.meta.dirname, '../..');

/** Shells that /bin/sh can be on other systems; only root can put one in its place. */
export const shells: readonly string[] = isRoot ? ['dash', 'bash', 'busybox'] : ['sh'];

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface JobOptions {
  /** What /bin/sh is for this job. */
  readonly shell?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly stdin?: string;
  /** As real root instead of the ordinary user. */
  readonly asRoot?: boolean;
  /** Shell code that root runs first in a mount namespace of its own: changes what the job takes for the host. */
  readonly host?: string;
  readonly detached?: boolean;
  /** Instead of pipes. */
  readonly stdio?: SpawnOptions['stdio'];
}

/** A copy of the package that everybody may read, and a directory that the user may write. */
export class Workplace {
  readonly directory: string;
  readonly scratch: string;
  readonly program: string;
  /** In the environment of every process of our jobs: finds those that are left. */
  readonly marker: string;
  readonly #mountsBefore = new Set(launchMounts());
  #running = new Set<ChildProcess>();

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'launcher-test-'));
    chmodSync(this.directory, 0o755);
    this.marker = `LAUNCHER_TEST=${this.directory}`;
    const home = join(this.directory, 'package');
    for (const name of ['bin', 'src/launcher']) cpSync(join(checkout, name), join(home, name), { recursive: true });
    mkdirSync(join(home, 'dist'));
    cpSync(join(import.meta.dirname, 'stand-in-server.cjs'), join(home, 'dist/start.cjs'));
    symlinkSync(join(checkout, 'node_modules'), join(home, 'node_modules'));
    this.program = join(home, 'bin/cvmfsexec');
    this.scratch = join(this.directory, 'scratch');
    mkdirSync(this.scratch);
    chmodSync(this.scratch, 0o1777);
  }

  /** Starts `words` as the user, in the environment of a login with nothing else in it. */
  spawn(words: readonly string[], options: JobOptions = {}): ChildProcess {
    const [program, ...args] = [...this.#prefix(options), ...words];
    const child = spawn(program, args, {
      cwd: options.cwd ?? this.scratch,
      env: {
        PATH: process.env.PATH,
        HOME: user.home,
        LAUNCHER_TEST: this.directory,
        ...options.env,
      },
      stdio: options.stdio ?? 'pipe',
      detached: options.detached ?? false,
    });
    this.#running.add(child);
    child.on('exit', () => this.#running.delete(child));
    return child;
  }

  /** Runs `words` and resolves to all that came of it. Bounded: after 30 s it is killed. */
  async run(words: readonly string[], options: JobOptions = {}): Promise<Outcome> {
    const child = this.spawn(words, options);
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.stdin ?? '');
    return await outcome(child);
  }

  /** `cvmfsexec test.example.org -- command…`. */
  job(command: readonly string[], options?: JobOptions): Promise<Outcome> {
    return this.run([this.program, 'test.example.org', '--', ...command], options);
  }

  #prefix({ shell, asRoot, host }: JobOptions): string[] {
    const words: string[] = [];
    if (!isRoot) return words;
    const steps: string[] = host ? [host] : [];
    if (shell && shell !== 'dash') steps.push(`mount --bind "$(command -v ${shell})" /bin/sh`);
    if (steps.length > 0) {
      words.push('/usr/bin/unshare', '--mount', 'dash', '-e', '-c', `${steps.join('\n')}\nexec "$@"`, 'dash');
    }
    if (!asRoot) words.push('setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups');
    return words;
  }

  /** Pids of processes that carry the marker. */
  processes(): number[] {
    const found: number[] = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        if (readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(this.marker)) found.push(Number(name));
      } catch {
        // gone, or another user's
      }
    }
    return found;
  }

  /** What jobs left: processes (waits a moment for them to end), mounts, files. */
  async leftovers(): Promise<string[]> {
    const deadline = Date.now() + 5000;
    while (this.processes().length > 0 && Date.now() < deadline) await sleep(20);
    const left = this.processes().map((pid) => `process ${pid}: ${commandLine(pid)}`);
    for (const line of launchMounts()) if (!this.#mountsBefore.has(line)) left.push(`mount ${line}`);
    for (const name of readdirSync(this.scratch)) left.push(`file ${name}`);
    return left;
  }

  /** Kills what is left and removes the directory. */
  async close(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone
      }
    }
    await sleep(20);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Lines of mountinfo that a job could have left: below /cvmfs, or of the launcher's own. */
function launchMounts(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / \/cvmfs[ /]| cvmfsexec /.test(line));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return 'gone';
  }
}

/** Resolves when the process ended and its pipes are closed; kills it after 30 s. */
export async function outcome(child: ChildProcess): Promise<Outcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (data: Buffer) => stdout.push(data));
  child.stderr?.on('data', (data: Buffer) => stderr.push(data));
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('close', (...result) => resolve(result));
    child.on('error', reject);
  });
  clearTimeout(timer);
  return { code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

/** Resolves when the output of a running job contains `text`. */
export async function until(child: ChildProcess, text: string): Promise<void> {
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`'${text}' did not come within 20 s; got: ${seen}`)), 20_000);
    const look = (data: Buffer) => {
      seen += data.toString('latin1');
      if (!seen.includes(text)) return;
      clearTimeout(timer);
      child.stdout?.off('data', look);
      resolve();
    };
    child.stdout?.on('data', look);
  });
}
