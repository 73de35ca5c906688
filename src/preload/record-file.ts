// The file of `--record`: lines are added at its end, so that several jobs, or several runs of one, make one record.
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const { O_APPEND, O_CREAT, O_RDWR } = constants;
const NEWLINE = 0x0a;

export class RecordFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #warn: (message: string) => void;
  #failed = false;

  private constructor(path: string, fd: number, warn: (message: string) => void) {
    this.#path = path;
    this.#fd = fd;
    this.#warn = warn;
  }

  /** @throws Error with a message of one line when it cannot be written to */
  static open(path: string, warn: (message: string) => void): RecordFile {
    try {
      const file = new RecordFile(path, openSync(path, O_RDWR | O_APPEND | O_CREAT, 0o644), warn);
      file.#endLine();
      return file;
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
      throw new Error(`cannot write the record ${path} (${reason}): give --record a writable file`, { cause });
    }
  }

  /** `line` with its end: one system call, as others may write to the same file. Never throws: the job goes on. */
  readonly write = (line: string): void => {
    if (this.#failed) return;
    try {
      writeSync(this.#fd, line);
    } catch (error) {
      this.#failed = true;
      const { code } = error as NodeJS.ErrnoException;
      this.#warn(`cannot write the record ${this.#path} (${code}): it is not complete`);
    }
  };

  close(): void {
    closeSync(this.#fd);
  }

  /** What a full disk cut off must not spoil the next line. */
  #endLine(): void {
    const stat = fstatSync(this.#fd);
    if (!stat.isFile() || stat.size === 0) return;
    const last = Buffer.alloc(1);
    if (readSync(this.#fd, last, 0, 1, stat.size - 1) === 1 && last[0] !== NEWLINE) writeSync(this.#fd, '\n');
  }
}
