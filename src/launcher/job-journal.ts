// The journal of a job: what a server leaves to the next one. A file without a name in a tmpfs that is the job's own; the
// server's parent (serve.sh) keeps it open. Each record is one write to the end, so it is there whatever happens to this
// process afterwards.
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { uptime } from 'node:os';
import { LauncherError } from './error.ts';
import { FIRST_LINE_BYTES, readContent, recordLine, shortForm } from './journal-content.ts';

/** The name that the file has until the first server has opened it. */
export const JOURNAL_NAME = '.cvmfsexec-journal';

/** A file is not made shorter below this size, nor before it has doubled since the last time. Bytes. */
const SHORT = 256 * 1024;

export class JobJournal {
  #path: string | undefined;
  #fd: number | undefined;
  /** What is noted before the file is there: nothing of it has been handed out yet. */
  #early: string[] = [];
  readonly #records = new Map<string, string[]>();
  /** Of the file, when it was made shorter last. */
  #shortSize = 0;

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
    const bytes = readFileSync(this.#path);
    const { records, end } = readContent(bytes);
    // Killed while it wrote over a page's end: nobody has been told what was not noted.
    if (end < bytes.length) this.#change((file) => ftruncateSync(file, end));
    for (const [owner, record] of records) this.#of(owner).push(record);
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
    const line = recordLine(owner, record);
    if (this.#fd === undefined) this.#early.push(line);
    else this.#write(line);
  }

  /**
   * Puts what `condense` makes of an owner's records in their place, when the file has grown; undefined: not now. Throws
   * when the journal cannot be written; it says the same as before then.
   */
  shorten(owner: string, condense: (records: readonly string[]) => readonly string[] | undefined): void {
    if (this.#fd === undefined || fstatSync(this.#fd).size < Math.max(SHORT, 2 * this.#shortSize)) return;
    const { records, end } = readContent(readFileSync(this.#path!));
    const condensed = condense(records.flatMap(([whose, record]) => (whose === owner ? [record] : [])));
    if (!condensed) return;
    const others = records.filter(([whose]) => whose !== owner);
    const short = shortForm([...others, ...condensed.map((record) => [owner, record] as const)]);
    const shortEnd = FIRST_LINE_BYTES + short.length;
    this.#shortSize = Math.min(shortEnd, end);
    if (shortEnd > end) return;
    this.#append(short);
    this.#change((file) => {
      for (let at = 0; at < short.length; ) at += writeSync(file, short, at, short.length - at, FIRST_LINE_BYTES + at);
      ftruncateSync(file, shortEnd);
    });
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
    this.#append(Buffer.from(line));
  }

  #append(bytes: Buffer): void {
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
