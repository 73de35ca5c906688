// The journal of a job: what a server leaves to the next one. A file without a name in a tmpfs that is the job's own; the
// server's parent (serve.sh) keeps it open. Each record is one write to the end, so it is there whatever happens to this
// process afterwards. Lines:
//   serving N            always 22 bytes: when the present server began to serve, in hundredths of a second of /proc/uptime
//   ["owner","record"]
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { uptime } from 'node:os';
import { LauncherError } from './error.ts';

/** The name that the file has until the first server has opened it. */
export const JOURNAL_NAME = '.cvmfsexec-journal';

const FIRST_LINE_BYTES = 22;

export class JobJournal {
  #path: string | undefined;
  #fd: number | undefined;
  /** What is noted before the file is there: nothing of it has been handed out yet. */
  #early: string[] = [];
  readonly #records = new Map<string, string[]>();

  /** Begins to write to the file at `path`, which is made by the server's parent and gets rid of its name now. */
  create(path: string): void {
    this.#fd = openSync(path, 'a');
    unlinkSync(path);
    this.#path = `/proc/self/fd/${this.#fd}`;
    for (const line of this.#early.splice(0)) this.#write(line);
  }

  /** Takes over the file that is open as `fd`, with what the previous servers have noted. */
  adopt(fd: number): void {
    this.#fd = fd;
    this.#path = `/proc/self/fd/${fd}`;
    const text = readFileSync(this.#path, 'utf8');
    const end = text.lastIndexOf('\n') + 1;
    // Killed while it wrote over a page's end: nobody has been told what was not noted.
    if (end < text.length) this.#change((file) => ftruncateSync(file, Buffer.byteLength(text.slice(0, end))));
    for (const line of text.slice(FIRST_LINE_BYTES, end).split('\n')) {
      if (line === '') continue;
      const [owner, record] = JSON.parse(line) as [string, string];
      this.#of(owner).push(record);
    }
  }

  /** For one that was adopted: a server that was killed early may have left the file its name, `path`. */
  loseName(path: string): void {
    rmSync(path, { force: true });
  }

  /** The records of the previous servers under this name. */
  records(owner: string): readonly string[] {
    return this.#of(owner);
  }

  append(owner: string, record: string): void {
    const line = `${JSON.stringify([owner, record])}\n`;
    if (this.#fd === undefined) this.#early.push(line);
    else this.#write(line);
  }

  /** Tells the server's parent that this server has come so far as to answer. */
  serving(): void {
    const now = String(Math.floor(uptime() * 100));
    this.#change((file) => writeSync(file, `serving ${now.padEnd(13)}\n`, 0));
  }

  #of(owner: string): string[] {
    let list = this.#records.get(owner);
    if (list === undefined) {
      list = [];
      this.#records.set(owner, list);
    }
    return list;
  }

  #write(line: string): void {
    const bytes = Buffer.from(line);
    const before = fstatSync(this.#fd!).size;
    try {
      if (writeSync(this.#fd!, bytes) === bytes.length) return;
    } catch (cause) {
      throw new LauncherError('NO_JOURNAL', `cannot write the journal of the job: ${(cause as Error).message}`, cause);
    }
    this.#change((file) => ftruncateSync(file, before));
    throw new LauncherError('NO_JOURNAL', 'cannot write the journal of the job: no memory is left for its tmpfs');
  }

  /** By a descriptor that does not append. */
  #change(change: (file: number) => void): void {
    const file = openSync(this.#path!, 'r+');
    try {
      change(file);
    } finally {
      closeSync(file);
    }
  }
}
