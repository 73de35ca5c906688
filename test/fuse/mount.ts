// A real mount of the memory file system for a test: as an ordinary user in namespaces of its own, gone with the test.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { isRoot, user } from '../support/ordinary-user.ts';
import type { Call, Command, MountSettings, Outcome, Return } from './protocol.ts';

const DRIVER = join(import.meta.dirname, 'driver.ts');

/** The words in front of a program that make an ordinary user of root, and give that user namespaces in which mounting is allowed. */
export function inNamespaces(): string[] {
  const words = ['unshare', '--user', '--map-root-user', '--mount', '--propagation', 'private', '--'];
  if (!isRoot) return words;
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--', ...words];
}

/** Why nothing can be mounted here; undefined if it can. */
function whyNot(): string | undefined {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch {
    return 'no access to /dev/fuse';
  }
  const [program, ...words] = [
    ...inNamespaces(),
    process.execPath,
    '-e',
    `require('node:fs').readFileSync(process.argv[1])`,
    DRIVER,
  ];
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8', cwd: '/' });
  return status === 0 ? undefined : `no namespaces for an ordinary user: ${stderr.trim().split('\n').at(-1)}`;
}

export class Mount {
  readonly #driver: ChildProcess;
  readonly #answers = new Map<number, (answer: Return) => void>();
  #last = 0;

  constructor(driver: ChildProcess) {
    this.#driver = driver;
    driver.on('message', (answer: Return) => this.#answers.get(answer.id)?.(answer));
    driver.on('exit', () => {
      for (const [id, settle] of this.#answers) settle({ id, error: 'the driver has exited' });
    });
  }

  /** Runs a shell script, whose "$MP" is the mount point. Output in Latin-1. */
  run(script: string): Promise<Outcome> {
    return this.#call({ run: script }) as Promise<Outcome>;
  }

  server(name: string, ...values: unknown[]): Promise<unknown> {
    return this.#call({ server: name, arguments: values });
  }

  /** Resolves when just `count` requests wait in the server. */
  async untilPending(count: number): Promise<void> {
    const deadline = Date.now() + 10_000;
    while ((await this.server('pending')) !== count) {
      if (Date.now() > deadline) throw new Error(`never ${count} requests pending`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async killServer(): Promise<void> {
    await this.#call({ killServer: true });
  }

  /** Kills the server and starts another one a second later; tells whether the first had ended by then. Resolves when it has. */
  async overtakeServer(): Promise<{ endedByItself: boolean; state: string }> {
    return (await this.#call({ overtakeServer: true })) as { endedByItself: boolean; state: string };
  }

  async restartServer(): Promise<void> {
    await this.#call({ restartServer: true });
  }

  /** Ends the driver, and with it the namespaces. */
  async end(): Promise<void> {
    this.#driver.disconnect();
    await once(this.#driver, 'exit');
  }

  #call(command: Command): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, (answer) => {
        this.#answers.delete(id);
        if (answer.error === undefined) resolve(answer.value);
        else reject(new Error(answer.error));
      });
      this.#driver.send({ id, command } satisfies Call);
    });
  }
}

const obstacle = whyNot();
const OWN: MountSettings = { readOnly: true, answerOpen: false, listXattr: false };

/** Mounts until the test ends; undefined, having said why, where that is impossible. */
export async function mount(t: ExecutionContext, settings: Partial<MountSettings> = {}): Promise<Mount | undefined> {
  if (obstacle !== undefined) {
    t.log(`skipped: ${obstacle}`);
    t.pass();
    return undefined;
  }
  const [program, ...words] = [...inNamespaces(), process.execPath, DRIVER, JSON.stringify({ ...OWN, ...settings })];
  const driver = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], cwd: '/' });
  let directory: string | undefined;
  t.teardown(async () => {
    if (driver.exitCode === null && driver.signalCode === null) {
      driver.kill('SIGKILL');
      await once(driver, 'exit');
    }
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });
  const [first] = (await once(driver, 'message', { signal: AbortSignal.timeout(20_000) })) as [Return];
  directory = first.value as string;
  return new Mount(driver);
}
