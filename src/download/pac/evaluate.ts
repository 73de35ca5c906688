// Evaluates a PAC file, which is a program from whoever answers for the name `wpad`, in a process of its own: without a
// file system, without children, without a network where a namespace can be had; bounded in time, memory and output.
import { spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { ordered } from '../dns/addresses.ts';
import type { Resolver } from '../dns/resolver.ts';
import { definePacFunctions, type World } from './library.ts';
import { nodeCommand } from './node-command.ts';
import { type SandboxInput, type SandboxOutput, sandboxProgram } from './sandbox.ts';

export interface PacLimits {
  /** Seconds for everything. */
  readonly time: number;
  /** MB of heap. */
  readonly memory: number;
}

const LIMITS: PacLimits = { time: 20, memory: 32 };
/** Names that one PAC file may ask for. */
const MAX_NAMES = 64;
const MAX_OUTPUT = 65_536;

/** No core file, little processor time, and no network if the system lets us. */
const WRAPPER = `ulimit -c 0; ulimit -t 10; unshare -n true 2>/dev/null && exec unshare -n -- "$@"; exec "$@"`;

/**
 * What FindProxyForURLEx, or else FindProxyForURL, answers for each URL and host.
 * @throws Error why there is no answer
 */
export async function evaluatePac(
  script: string,
  questions: SandboxInput['questions'],
  resolver: Resolver,
  limits: PacLimits = LIMITS,
): Promise<readonly string[]> {
  const child = new Sandbox(limits);
  try {
    const names: Record<string, readonly string[]> = {};
    const own = ownAddresses();
    for (let round = 0; round < MAX_NAMES; round++) {
      const world: World = { names, own };
      const output = await child.run({ script, library: definePacFunctions.toString(), questions, world });
      if ('answers' in output) return output.answers.map(String);
      if ('error' in output) throw new Error(output.error);
      // A run ends at the first: what names more was made up by the script.
      const [name] = output.missing;
      names[name] = await addressesOf(name, resolver);
    }
    throw new Error(`it asks for more than ${MAX_NAMES} names`);
  } finally {
    child.kill();
  }
}

async function addressesOf(name: string, resolver: Resolver): Promise<readonly string[]> {
  try {
    return ordered(await resolver.resolve(String(name)), resolver.family);
  } catch {
    return [];
  }
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.filter(({ internal }) => !internal).map(({ address }) => address);
}

class Sandbox {
  readonly #child: ReturnType<typeof start>;
  readonly #timer: NodeJS.Timeout;
  #output = '';
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(limits: PacLimits) {
    this.#child = start(limits.memory);
    this.#timer = setTimeout(() => this.#fail(`it takes longer than ${limits.time} s`), limits.time * 1000);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      if (this.#output.length > MAX_OUTPUT) this.#fail('its answer is too long');
      else if (text.includes('\n')) this.#wake();
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => this.#fail(`it cannot be run: ${error.message}`));
    this.#child.on('close', () => this.#fail('its evaluation broke off (memory or time)'));
  }

  /** One input, one output. */
  async run(input: SandboxInput): Promise<SandboxOutput> {
    this.#child.stdin.write(`${JSON.stringify(input)}\n`);
    while (!this.#failure && !this.#output.includes('\n')) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure) throw this.#failure;
    const line = this.#output.slice(0, this.#output.indexOf('\n'));
    this.#output = this.#output.slice(line.length + 1);
    return JSON.parse(line);
  }

  kill(): void {
    clearTimeout(this.#timer);
    this.#child.kill('SIGKILL');
  }

  #fail(reason: string): void {
    this.#failure ??= new Error(reason);
    this.kill();
    this.#wake();
  }
}

function start(megabytes: number) {
  // Older Nodes call it experimental.
  const permission = ['--permission', '--experimental-permission'].find((flag) =>
    process.allowedNodeEnvironmentFlags.has(flag),
  );
  const flags = [`--max-old-space-size=${megabytes}`, '--max-semi-space-size=4', '--stack-size=500'];
  flags.push('--jitless', '--disallow-code-generation-from-strings', '--no-warnings');
  if (permission) flags.push(permission);
  const program = `(${sandboxProgram})(require('node:vm'), process.stdin, process.stdout)`;
  const words = ['-c', WRAPPER, 'sh', ...nodeCommand(), ...flags, '-e', program];
  const { PATH } = process.env;
  // A session of its own: what is sent to the job's process group is not meant for it.
  return spawn('sh', words, { cwd: '/', env: { PATH }, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
}
