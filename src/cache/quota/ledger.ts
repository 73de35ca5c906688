// The ledger of a cache: what every process notes about its objects, one line each (ledger-line.ts). Whoever stores or uses
// an object appends a line in one write(2), and waits for nobody. Only the keeper reads it as it grows (keeper.ts), and now
// and then replaces it by a shorter one, of the same sum.
//
// No line is lost by that. A writer looks, after it has written, whether the file still has its name, and if not, writes
// again to the new one; the keeper, after it has given the name to the new file, copies what came to the old one meanwhile.
import * as fs from 'node:fs';

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = fs.constants;
const READ_BYTES = 1 << 20;

export class LedgerWriter {
  readonly #path: string;
  #fd = -1;
  #inode = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Whole lines. Throws the error of the system call; the lines may be there in part then, which does no harm. */
  append(lines: string): void {
    const bytes = Buffer.from(lines, 'latin1');
    for (let attempt = 0; attempt < 5; attempt++) {
      if (this.#fd < 0) this.#open();
      const count = fs.writeSync(this.#fd, bytes);
      if (this.#hasItsName()) {
        if (count < bytes.length) throw Object.assign(new Error('the ledger could not be written'), { code: 'ENOSPC' });
        return;
      }
      this.close();
    }
  }

  close(): void {
    if (this.#fd >= 0) fs.closeSync(this.#fd);
    this.#fd = -1;
  }

  #open(): void {
    this.#fd = fs.openSync(this.#path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    this.#inode = fs.fstatSync(this.#fd).ino;
  }

  #hasItsName(): boolean {
    try {
      return fs.statSync(this.#path).ino === this.#inode;
    } catch {
      return false;
    }
  }
}

/** Reads the lines that came since the last time. */
export class LedgerReader {
  readonly #path: string;
  #fd: number;
  #inode: number;
  #offset: number;
  #rest = '';
  #buffer: Buffer | undefined;
  #isAtEnd = false;

  /** Throws the error of the system call. */
  constructor(path: string) {
    this.#path = path;
    this.#fd = fs.openSync(path, fs.constants.O_RDONLY | O_CREAT | O_NOFOLLOW, 0o600);
    this.#inode = fs.fstatSync(this.#fd).ino;
    this.#offset = 0;
  }

  /** Bytes up to which complete lines were read. */
  get offset(): number {
    return this.#offset - this.#rest.length;
  }

  get inode(): number {
    return this.#inode;
  }

  /** Somebody removed or replaced the file. */
  get isStale(): boolean {
    try {
      return fs.statSync(this.#path).ino !== this.#inode;
    } catch {
      return true;
    }
  }

  /** Complete lines without their newlines, at most about a megabyte of them; none: there is nothing new. */
  read(): string[] {
    this.#buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const count = fs.readSync(this.#fd, this.#buffer, 0, READ_BYTES, this.#offset);
    this.#isAtEnd = count < READ_BYTES;
    if (count === 0) return [];
    this.#offset += count;
    const lines = (this.#rest + this.#buffer.toString('latin1', 0, count)).split('\n');
    this.#rest = lines.pop() as string;
    return lines;
  }

  /** The last `read` came to the end of the file as it was then. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** Turns to the file that has the name now. */
  reopen(offset: number): void {
    this.close();
    this.#fd = fs.openSync(this.#path, fs.constants.O_RDONLY | O_NOFOLLOW);
    this.#inode = fs.fstatSync(this.#fd).ino;
    this.#offset = offset;
    this.#rest = '';
  }

  /** All bytes from `offset` on, as they are now; undefined where there are more than `most`. */
  tail(offset: number): Buffer;
  tail(offset: number, most: number): Buffer | undefined;
  tail(offset: number, most = Infinity): Buffer | undefined {
    const length = Math.max(0, fs.fstatSync(this.#fd).size - offset);
    if (length > most) return undefined;
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, fs.readSync(this.#fd, bytes, 0, bytes.length, offset));
  }

  close(): void {
    fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}
