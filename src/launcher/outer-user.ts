// Who we are outside of the user namespace that the launcher made: inside, everybody is root.
import { readFileSync } from 'node:fs';

/** The user id as the parent namespace sees it; our own where there is no namespace of ours. */
export function outerUserId(): number {
  const inner = process.getuid?.() ?? 0;
  for (const { first, outside, count } of ranges('/proc/self/uid_map')) {
    if (inner >= first && inner < first + count) return outside + inner - first;
  }
  return inner;
}

/** What a group of the parent namespace is called in ours; undefined: it is nobody here. */
export function innerGroupId(outer: number): number | undefined {
  const found = ranges('/proc/self/gid_map');
  if (found.length === 0) return outer;
  for (const { first, outside, count } of found) {
    if (outer >= outside && outer < outside + count) return first + outer - outside;
  }
  return undefined;
}

/** What the kernel shows for an id that has none in a namespace. */
const OVERFLOW_ID = 65_534;

/**
 * Gives the function from ids of the parent namespace to ours, in which most are nobody; undefined: they are the same.
 */
export function innerIds(kind: 'uid' | 'gid'): ((outer: number) => number) | undefined {
  const found = ranges(`/proc/self/${kind}_map`);
  if (found.every(({ first, outside }) => first === outside)) return undefined;
  return (outer) => {
    for (const { first, outside, count } of found) {
      if (outer >= outside && outer < outside + count) return first + outer - outside;
    }
    return OVERFLOW_ID;
  };
}

/** None without a /proc: no namespace can be told then. */
function ranges(file: string): { first: number; outside: number; count: number }[] {
  try {
    const lines = readFileSync(file, 'latin1').trim().split('\n');
    return lines.map((line) => {
      const [first, outside, count] = line.trim().split(/\s+/).map(Number);
      return { first, outside, count };
    });
  } catch {
    return [];
  }
}
