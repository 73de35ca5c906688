// Which machine this is, since it was started.
import { readFileSync } from 'node:fs';

let known: string | undefined;

/** Letters, digits and hyphens; undefined where it cannot be told. */
export function bootId(): string | undefined {
  try {
    known ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    // no /proc
  }
  return known;
}
