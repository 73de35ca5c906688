// Messages on stderr while the user's command runs: one line each, and the same line not again within a minute.
import { writeSync } from 'node:fs';

const REPEAT_AFTER_MS = 60_000;
const REMEMBERED = 256;

/** Gives a function that writes `<program>: <subject>: <message>`. */
export function reporter(subject: string, program = 'cvmfsexec'): (message: string) => void {
  const lastTimes = new Map<string, number>();
  return (message) => {
    const now = performance.now();
    const last = lastTimes.get(message);
    if (last !== undefined && now - last < REPEAT_AFTER_MS) return;
    if (lastTimes.size >= REMEMBERED) lastTimes.clear();
    lastTimes.set(message, now);
    writeLine(`${program}: ${subject}: ${message}`);
  };
}

/** Never throws: whoever reads stderr may be gone, and the mount must go on. */
export function writeLine(line: string): void {
  try {
    writeSync(2, `${line.replace(/\s*\n\s*/g, '; ')}\n`);
  } catch {
    // nobody reads it
  }
}
