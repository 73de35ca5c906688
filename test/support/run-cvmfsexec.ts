// Runs the built bin/cvmfsexec, as the ordinary user and as root, from a copy of the package that everybody may read.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { execa, type ResultPromise } from 'execa';
import { isRoot, user } from '../support/ordinary-user.ts';

const checkout = join(import.meta.dirname, '../..');

export interface Identity {
  readonly name: 'ordinary user' | 'root';
  readonly uid: number;
  readonly gid: number;
  /** What goes before a command to run it as this user. */
  readonly prefix: readonly string[];
}

export const ordinaryUser: Identity = {
  name: 'ordinary user',
  uid: user.uid,
  gid: user.gid,
  prefix: isRoot ? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [],
};

/** Whom tests run as: both, where the tests themselves run as root. */
export const identities: readonly Identity[] = isRoot
  ? [ordinaryUser, { name: 'root', uid: 0, gid: 0, prefix: [] }]
  : [ordinaryUser];

export interface Launch {
  /** Default: the ordinary user. */
  readonly as?: Identity;
  readonly repositories: readonly string[];
  /** CVMFS_* parameters without that prefix; a cache of its own and no proxy are the default. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** Further words before the repositories. */
  readonly options?: readonly string[];
  /** `--debug`: every request to the file system is a line of stderr. */
  readonly debug?: boolean;
  /** Beside PATH, which is all there is otherwise. */
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the launcher's, such as another `unshare`. */
  readonly wrapper?: readonly string[];
  /** Seconds after which it is killed. Default 40. */
  readonly limit?: number;
}

export interface Tool {
  /** Default: the ordinary user. */
  readonly as?: Identity;
  /** Words before the program's, such as `unshare`. */
  readonly wrapper?: readonly string[];
  /** Standard input. */
  readonly input?: string;
  /** Seconds after which it is killed. Default 40. */
  readonly limit?: number;
}

export interface Outcome {
  /** undefined: killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** Milliseconds. */
  readonly duration: number;
}

/** Make one per test file, and `close` it. */
export class Installation {
  /** Everybody may read it, and write to `scratch`. */
  readonly directory: string;
  readonly scratch: string;
  readonly program: string;
  readonly node: string;
  readonly #running = new Set<ResultPromise>();
  #caches = 0;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'cvmfsexec-test-'));
    try {
      chmodSync(this.directory, 0o755);
      this.scratch = join(this.directory, 'scratch');
      mkdirSync(this.scratch);
      chmodSync(this.scratch, 0o1777);
      const home = join(this.directory, 'package');
      for (const name of ['bin', 'dist', 'src/launcher']) {
        cpSync(join(checkout, name), join(home, name), { recursive: true });
      }
      this.program = join(home, 'bin/cvmfsexec');
      this.node = join(home, 'node/bin/node');
      mkdirSync(join(home, 'node/bin'), { recursive: true });
      provideNode(this.node);
    } catch (error) {
      rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 });
      throw error;
    }
  }

  /** A path for a cache (or anything else) that does not exist yet, where every user may make one. */
  newPath(): string {
    return join(this.scratch, `made-${++this.#caches}`);
  }

  /** A program of these tests as one file that the users can read. */
  bundle(source: string): string {
    const outfile = join(this.directory, `${source.replaceAll('/', '-').replace(/\.ts$/, '')}.cjs`);
    buildSync({
      entryPoints: [join(checkout, source)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'warning',
    });
    return outfile;
  }

  /** Starts `cvmfsexec REPOSITORIES -- COMMAND`; bounded in time. */
  start(launch: Launch): ResultPromise<{ reject: false }> {
    const { as = ordinaryUser, repositories, command, debug = false, env = {}, wrapper = [], limit = 40 } = launch;
    const parameters = { HTTP_PROXY: 'DIRECT', CACHE_BASE: this.newPath(), ...launch.parameters };
    const settings = Object.entries(parameters).flatMap(([name, value]) => ['-o', `CVMFS_${name}=${value}`]);
    const words = [
      ...wrapper,
      this.program,
      ...(debug ? ['--debug'] : []),
      ...settings,
      ...(launch.options ?? []),
      ...repositories,
    ];
    return this.#execute([...words, '--', ...command], as, env, limit);
  }

  /** Runs any other command; bounded in time. */
  async command(
    words: readonly string[],
    { as = ordinaryUser, env = {}, limit = 40 }: Partial<Launch> = {},
  ): Promise<Outcome> {
    return outcomeOf(await this.#execute(words, as, env, limit));
  }

  #execute(
    words: readonly string[],
    as: Identity,
    env: Readonly<Record<string, string>>,
    limit: number,
  ): ResultPromise<{ reject: false }> {
    const [file, ...rest] = [...as.prefix, ...words];
    const running = execa(file, rest, {
      cwd: this.scratch,
      env: { PATH: process.env.PATH, ...env },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
      timeout: limit * 1000,
      killSignal: 'SIGKILL',
    });
    this.#running.add(running);
    running.finally(() => this.#running.delete(running));
    return running;
  }

  /** Starts `cvmfsexec WORDS`, in `scratch`: what is no launch. */
  startTool(words: readonly string[], { as = ordinaryUser, wrapper = [], input = '', limit = 40 }: Tool = {}) {
    const [file, ...rest] = [...as.prefix, ...wrapper, this.program, ...words];
    const running: ResultPromise<{ reject: false }> = execa(file, rest, {
      cwd: this.scratch,
      env: { PATH: process.env.PATH },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
      input,
      timeout: limit * 1000,
      killSignal: 'SIGKILL',
    });
    this.#running.add(running);
    running.finally(() => this.#running.delete(running));
    return running;
  }

  async runTool(words: readonly string[], tool?: Tool): Promise<Outcome> {
    const { exitCode, stdout, stderr, timedOut, durationMs } = await this.startTool(words, tool);
    return { exitCode, stdout: String(stdout), stderr: String(stderr), timedOut, duration: durationMs };
  }

  async run(launch: Launch): Promise<Outcome> {
    return outcomeOf(await this.start(launch));
  }

  /** Ends what still runs and removes everything. */
  async close(): Promise<void> {
    const running = [...this.#running];
    for (const job of running) job.kill('SIGKILL');
    await Promise.all(running);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

function outcomeOf(result: Awaited<ResultPromise<{ reject: false }>>): Outcome {
  const { exitCode, stdout, stderr, timedOut, durationMs } = result;
  return { exitCode, stdout: String(stdout), stderr: String(stderr), timedOut, duration: durationMs };
}

/** The Node that the package brings, or else this one: by a link where the ordinary user can follow it. */
function provideNode(path: string): void {
  const { execPath } = process;
  symlinkSync(execPath, path);
  const [program, ...args] = [...ordinaryUser.prefix, 'test', '-x', path];
  if (spawnSync(program, args).status === 0) return;
  rmSync(path);
  try {
    linkSync(execPath, path);
  } catch {
    copyFileSync(execPath, path);
  }
  chmodSync(path, 0o755);
}
