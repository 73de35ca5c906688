// How far a long job is, on stderr: a line that is written over on a terminal, else a line every ten seconds.

const TERMINAL_MS = 200;
const LINE_MS = 10_000;
const BAR = 24;

export interface Progress {
  /** From 0 to 1; undefined: not known. */
  readonly share?: number;
  readonly text: string;
}

export class ProgressLine {
  readonly #title: string;
  readonly #now: () => Progress;
  readonly #terminal = process.stderr.isTTY === true;
  readonly #timer: NodeJS.Timeout;
  #shown = false;

  /** Starts at once. `now` is asked whenever something is to be shown. */
  constructor(title: string, now: () => Progress) {
    this.#title = title;
    this.#now = now;
    this.#timer = setInterval(() => this.#show(), this.#terminal ? TERMINAL_MS : LINE_MS);
    this.#timer.unref();
  }

  /** Makes room for another line. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
    this.#shown = false;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #show(): void {
    const { share, text } = this.#now();
    if (!this.#terminal) {
      process.stderr.write(`${this.#title}: ${share === undefined ? '' : `${percent(share)}, `}${text}\n`);
      return;
    }
    const bar =
      share === undefined ? '' : `[${'#'.repeat(Math.round(share * BAR)).padEnd(BAR, '-')}] ${percent(share)} `;
    const line = `${bar}${text}`.slice(0, Math.max(20, (process.stderr.columns || 80) - 1));
    process.stderr.write(`\r\x1b[K${line}`);
    this.#shown = true;
  }
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}
