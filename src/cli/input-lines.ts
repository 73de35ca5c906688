// Lines from a pipe, as they are asked for. By events: a read in libuv's thread pool could not be taken back, and the
// process could not end.
import { Socket } from 'node:net';

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
      this.#rest = parts.pop() ?? '';
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
    while (this.#lines.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines.shift();
  }
}
