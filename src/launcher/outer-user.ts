// Who we are outside of the user namespace that the launcher made: inside, everybody is root.
import { readFileSync } from 'node:fs';

/** The user id as the parent namespace sees it; our own where there is no namespace of ours. */
export function outerUserId(): number {
  const inner = process.getuid?.() ?? 0;
  try {
    for (const line of readFileSync('/proc/self/uid_map', 'latin1').trim().split('\n')) {
      const [first, outside, count] = line.trim().split(/\s+/).map(Number);
      if (inner >= first && inner < first + count) return outside + inner - first;
    }
  } catch {
    // no /proc: no namespace can be told
  }
  return inner;
}
