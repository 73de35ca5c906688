// A shell inside a job, which does what the test says, line by line.
import type { Installation, Launch } from './run-cvmfsexec.ts';

const DONE = '=done=';

export class JobShell {
  readonly #running: ReturnType<Installation['start']>;
  #output = '';
  #errors = '';
  #ended = false;
  #wake = () => {};

  constructor(place: Installation, launch: Omit<Launch, 'command'> & { readonly wrap?: readonly string[] }) {
    const loop = `while IFS= read -r line; do eval "$line"; printf '%s %s\\n' ${DONE} $?; done`;
    this.#running = place.start({ limit: 120, ...launch, command: [...(launch.wrap ?? []), 'sh', '-c', loop] });
    this.#running.stdout?.on('data', (data) => {
      this.#output += data;
      this.#wake();
    });
    this.#running.stderr?.on('data', (data) => {
      this.#errors += data;
    });
    this.#running.finally(() => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** What went to stderr up to now. */
  get stderr(): string {
    return this.#errors;
  }

  /** Process id of the launcher. */
  get pid(): number {
    return this.#running.pid as number;
  }

  /** Runs a line; gives its output, without the last newline, and its exit status. Rejects when the job has ended. */
  async run(line: string): Promise<{ output: string; status: number }> {
    this.#running.stdin?.write(`${line.replace(/\n/g, ' ')}\n`);
    const end = new RegExp(`^([^]*?)${DONE} (\\d+)\\n`);
    for (;;) {
      const match = end.exec(this.#output);
      if (match) {
        this.#output = this.#output.slice(match[0].length);
        return { output: match[1].replace(/\n$/, ''), status: Number(match[2]) };
      }
      if (this.#ended) throw new Error(`the job has ended: ${this.#errors.slice(-2000)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async output(line: string): Promise<string> {
    return (await this.run(line)).output;
  }

  /** Runs a line until it says what is expected; gives what it said in the end. */
  async until(line: string, expected: string | RegExp, seconds = 30): Promise<string> {
    const limit = performance.now() + seconds * 1000;
    for (;;) {
      const output = await this.output(line);
      const fits = typeof expected === 'string' ? output === expected : expected.test(output);
      if (fits || performance.now() > limit) return output;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async end(): Promise<void> {
    this.#running.stdin?.end();
    await this.#running;
  }
}
