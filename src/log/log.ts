// The log of one mounted repository (client.md §10.2). Every message goes to all of its sinks; each takes the levels it is
// for. Nothing here throws or waits: a log must not stop a mount.
import { LogBuffer } from './log-buffer.ts';

/**
 * - `error`: the mount does not do what was asked of it
 * - `warning`: something went wrong and was overcome
 * - `note`: what operators want to know of a mount that works, such as a new revision
 * - `debug`: everything else
 */
export type Level = 'error' | 'warning' | 'note' | 'debug';

export interface LogSink {
  /** `text` is one line. `component`: the part of the client that speaks, as the reference names them. */
  write(level: Level, text: string, component: string): void;
}

export class Log {
  readonly #sinks: readonly LogSink[];
  readonly #buffer = new LogBuffer();
  /** Somebody reads debug messages: only then are they worth making. */
  readonly debugging: boolean;

  constructor(sinks: readonly LogSink[], debugging = false) {
    this.#sinks = sinks;
    this.debugging = debugging;
  }

  error(text: string): void {
    this.#write('error', text, 'cvmfs');
  }

  warn(text: string): void {
    this.#write('warning', text, 'cvmfs');
  }

  note(text: string): void {
    this.#write('note', text, 'cvmfs');
  }

  debug(component: string, text: string): void {
    if (this.debugging) this.#write('debug', text, component);
  }

  /** `user.logbuffer`. */
  lastMessages(): string {
    return this.#buffer.toString();
  }

  #write(level: Level, text: string, component: string): void {
    const line = text.replace(/\s*\n\s*/g, '; ');
    if (level !== 'debug') this.#buffer.add(line);
    for (const sink of this.#sinks) sink.write(level, line, component);
  }
}
