// The system's log. Its socket takes datagrams, which Node cannot send to a path, so a logger(1) of util-linux does it:
// started with the first message, fed line by line, gone with the server.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Level, LogSink } from './log.ts';

export interface SyslogSettings {
  /** 0 to 7: local0 to local7; undefined: user. CVMFS_SYSLOG_FACILITY */
  readonly facility: number | undefined;
  /** Of notes: 1 debug, 2 info, 3 notice. CVMFS_SYSLOG_LEVEL */
  readonly level: number;
  /** CVMFS_SYSLOG_PREFIX */
  readonly prefix: string;
  /** Told once why nothing is logged. */
  readonly warn: (message: string) => void;
  readonly socket?: string;
}

const SOCKET = '/dev/log';
const FACILITY_USER = 1;
const FACILITY_LOCAL0 = 16;
const SEVERITY = { error: 3, warning: 4, note: 5, debug: 7 } as const;
const NOTE_SEVERITY = [7, 7, 6, 5];
/** Characters that may wait for logger to take them; what comes on top is dropped. */
const MAX_WAITING = 64 * 1024;

export class Syslog implements LogSink {
  readonly #settings: SyslogSettings;
  #logger: ChildProcess | undefined;
  #early: string[] | undefined;
  #failed = false;

  constructor(settings: SyslogSettings) {
    this.#settings = settings;
  }

  write(level: Level, text: string): void {
    if (level === 'debug' || this.#failed) return;
    this.#send(`<${this.#priority(level)}>(${this.#settings.prefix}) ${text}\n`);
  }

  #priority(level: Level): number {
    const { facility } = this.#settings;
    const code = facility === undefined ? FACILITY_USER : FACILITY_LOCAL0 + facility;
    const severity = level === 'note' ? (NOTE_SEVERITY[this.#settings.level] ?? SEVERITY.note) : SEVERITY[level];
    return code * 8 + severity;
  }

  #send(line: string): void {
    const stdin = this.#logger?.stdin;
    if (stdin) {
      if (stdin.writableLength < MAX_WAITING) stdin.write(line);
      return;
    }
    if (this.#early) {
      this.#early.push(line);
      return;
    }
    this.#early = [line];
    void this.#start();
  }

  async #start(): Promise<void> {
    const { socket = SOCKET } = this.#settings;
    // Many a logger says nothing when it finds no socket.
    if (!existsSync(socket)) return this.#fail(`there is no ${socket}`);
    const { spawn } = await import('node:child_process');
    const args = ['--socket', socket, '--tag', 'cvmfs2', '--prio-prefix'];
    // A session of its own: what ^C and batch systems send to the job's process group is not meant for it.
    const logger = spawn('logger', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    logger.on('error', (error: NodeJS.ErrnoException) => this.#fail(`logger cannot be started (${error.code})`));
    logger.on('exit', (code, signal) => this.#fail(`logger ended (${signal ?? code})`));
    logger.stdin.on('error', () => {});
    logger.unref();
    (logger.stdin as unknown as { unref?: () => void }).unref?.();
    this.#logger = logger;
    for (const line of this.#early?.splice(0) ?? []) this.#send(line);
  }

  #fail(reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#logger = undefined;
    this.#settings.warn(`nothing is written to the system's log: ${reason}`);
  }
}
