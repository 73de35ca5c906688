// A file that several servers append to, a whole line by one write. It is opened when there is something to say.
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';

export interface LogFileOptions {
  readonly path: string;
  /** Bytes above which the file is copied to PATH.1 and begun anew. */
  readonly rotateAt?: number;
  /** Told once why nothing is written. */
  readonly warn: (message: string) => void;
}

export class LogFile {
  readonly #options: LogFileOptions;
  #fd: number | undefined;
  #failed = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Never throws. */
  append(line: string): void {
    if (this.#failed) return;
    try {
      this.#fd ??= openSync(this.#options.path, 'a', 0o600);
      this.#rotate(this.#fd);
      writeSync(this.#fd, `${line}\n`);
    } catch (error) {
      this.#failed = true;
      const { code } = error as NodeJS.ErrnoException;
      this.#options.warn(`cannot write the log ${this.#options.path} (${code}): nothing more is written to it`);
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#failed = true;
  }

  /** Copied, not renamed: others have it open. */
  #rotate(fd: number): void {
    const { path, rotateAt } = this.#options;
    if (rotateAt === undefined || fstatSync(fd).size < rotateAt) return;
    copyFileSync(path, `${path}.1`);
    ftruncateSync(fd, 0);
  }
}
