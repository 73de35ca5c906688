// Where messages go: stderr, a file in place of syslog, the debug log (client.md §10.2).
import type { Level, LogSink } from './log.ts';
import type { LogFile } from './log-file.ts';
import { ctime, localTime } from './times.ts';

/** What is wrong, to whoever started the job. */
export class Complaints implements LogSink {
  readonly #report: (message: string) => void;

  constructor(report: (message: string) => void) {
    this.#report = report;
  }

  write(level: Level, text: string): void {
    if (level === 'error' || level === 'warning') this.#report(text);
  }
}

/** CVMFS_USYSLOG. */
export class MicroSyslog implements LogSink {
  readonly #file: LogFile;
  readonly #prefix: string;

  constructor(file: LogFile, prefix: string) {
    this.#file = file;
    this.#prefix = prefix;
  }

  write(level: Level, text: string): void {
    if (level !== 'debug') this.#file.append(`${ctime(new Date())} (${this.#prefix}) ${text}`);
  }
}

/** CVMFS_DEBUGLOG. */
export class DebugLog implements LogSink {
  readonly #file: LogFile;

  constructor(file: LogFile) {
    this.#file = file;
  }

  write(_level: Level, text: string, component: string): void {
    this.#file.append(`(${component}) ${text}    [${localTime(new Date())}]`);
  }
}
