// Lines from a pipe, as they are asked for. By events: a read in libuv's thread pool could not be taken back, and the
// process could not end.
import { Socket } from 'node:net';

/** Characters of a line without an end; what comes after them begins another one. */
const LONGEST = 65_536;

export class InputLines {
  readonly #lines: string[] = [];
  #rest = '';
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(fd: number) {
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      const parts = (this.#rest + text).split('\n');
      this.#rest = (parts.pop() ?? '').slice(-LONGEST);
      this.#lines.push(...parts);
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', end).on('error', end);
  }

  /** The next line without its newline; undefined at the end. */
  async next(): Promise<string | undefined> {
    await this.waiting();
    return this.#lines.shift();
  }

  /** Resolves when there is a line, or the end. */
  async waiting(): Promise<void> {
    while (this.#lines.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
