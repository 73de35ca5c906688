// The last messages of a mount, for user.logbuffer (client.md §5.11): `[time] message`, oldest first.
import { localTime } from './times.ts';

const KEPT = 10;
const LONGEST = 4096;

export class LogBuffer {
  readonly #messages: { readonly time: Date; readonly text: string }[] = [];

  add(text: string, time = new Date()): void {
    if (this.#messages.length === KEPT) this.#messages.shift();
    this.#messages.push({ time, text: text.length > LONGEST ? `${text.slice(0, LONGEST)} <snip>` : text });
  }

  toString(): string {
    return this.#messages.map(({ time, text }) => `[${localTime(time)}] ${text}\n`).join('');
  }
}
