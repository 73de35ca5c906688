// The helper program that knows who is a member (client.md §10.3): started when it is first needed, asked one question
// after the other. What breaks the protocol, dies or says nothing in time is refused for a while, then started again.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import {
  type Answer,
  encodeHandshake,
  encodeQuestion,
  encodeQuit,
  Frames,
  type Handshake,
  type Permit,
  parseAnswer,
  type Question,
} from './messages.ts';

export interface HelperOptions {
  /** Path of the program. */
  readonly program: string;
  readonly handshake: Handshake;
  /** CVMFS_AUTHZ_*, without the prefix. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds for one answer. */
  readonly patience?: number;
}

/** Seconds in which a helper that failed is not started again, and all is denied. */
const FAIL_SECONDS = 5;
const PATIENCE_SECONDS = 30;

type Child = ChildProcessByStdio<Writable, Readable, null>;

export class Helper {
  readonly #options: HelperOptions;
  #child: Child | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #failure = '';
  #failedAt = Number.NEGATIVE_INFINITY;
  #take: ((answer: Answer | Error) => void) | undefined;

  constructor(options: HelperOptions) {
    this.#options = options;
  }

  /** Rejects with the reason when the helper is of no use. */
  ask(question: Question): Promise<Permit> {
    const asked = this.#queue.then(() => this.#ask(question));
    this.#queue = asked.catch(() => {});
    return asked;
  }

  close(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin.end(encodeQuit());
    child?.unref();
  }

  async #ask(question: Question): Promise<Permit> {
    if (performance.now() - this.#failedAt < FAIL_SECONDS * 1000) throw new Error(this.#failure);
    try {
      if (!this.#child) {
        this.#child = this.#start();
        const { kind } = await this.#exchange(encodeHandshake(this.#options.handshake));
        if (kind !== 'ready') throw new Error('answers before it was asked');
      }
      const answer = await this.#exchange(encodeQuestion(question));
      if (answer.kind !== 'permit') throw new Error('does not answer the question');
      return answer.permit;
    } catch (error) {
      this.#failure = `the helper ${this.#options.program} ${(error as Error).message}`;
      this.#failedAt = performance.now();
      if (this.#child) killAll(this.#child);
      this.#child = undefined;
      throw new Error(this.#failure);
    }
  }

  #start(): Child {
    const { program, environment } = this.#options;
    const { PATH } = process.env;
    const env = { PATH, ...environment, CVMFS_AUTHZ_HELPER: 'yes' };
    // A session of its own: what the terminal sends to the job is not meant for it.
    const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'ignore'], detached: true, env });
    const frames = new Frames();
    // What one that was given up says later is no answer to what another one is asked.
    const take = (answer: Answer | Error) => {
      if (child === this.#child) this.#take?.(answer);
    };
    const failed = (reason: string) => take(new Error(reason));
    child.stdin.on('error', () => {});
    child.on('error', ({ message }) => failed(`cannot be started (${message})`));
    child.on('close', () => {
      failed('has ended');
      // One that ends while nobody asks is started again for the next question.
      if (child === this.#child && !this.#take) this.#child = undefined;
    });
    child.stdout.on('data', (bytes: Buffer) => {
      try {
        for (const text of frames.push(bytes)) take(parseAnswer(text));
      } catch (error) {
        failed((error as Error).message);
      }
    });
    // It must not keep this process alive.
    child.unref();
    return child;
  }

  #exchange(message: Buffer): Promise<Answer> {
    const { patience = PATIENCE_SECONDS } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#take?.(new Error(`says nothing for ${patience} s`)), patience * 1000);
      this.#take = (answer) => {
        this.#take = undefined;
        clearTimeout(timer);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      this.#child?.stdin.write(message);
    });
  }
}

/** Whatever it has started, too: that could go on to write to our pipe. */
function killAll({ pid }: Child): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // has ended
  }
}
