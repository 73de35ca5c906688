// What the resolver needs of /etc/resolv.conf besides the name servers, and whether the file has changed.
import { readFileSync, statSync } from 'node:fs';

const FILE = '/etc/resolv.conf';

/** Changes with the file. */
export function resolvConfVersion(): string {
  try {
    const { ino, mtimeMs, size } = statSync(FILE);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return '';
  }
}

export interface Search {
  readonly domains: readonly string[];
  /** Names with so many dots are tried as they are first. */
  readonly ndots: number;
}

export function readSearch(): Search {
  try {
    return parseSearch(readFileSync(FILE, 'latin1'));
  } catch {
    return { domains: [], ndots: 1 };
  }
}

/** The last `search` or `domain` line counts. */
export function parseSearch(text: string): Search {
  let domains: string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'search' || keyword === 'domain') domains = words.map((word) => word.replace(/\.$/, ''));
    if (keyword === 'options') ndots = Number(/\bndots:(\d+)/.exec(line)?.[1] ?? ndots);
  }
  return { domains: domains.filter((domain) => domain !== ''), ndots: Math.min(ndots, 15) };
}

/** What a name may stand for, in the order in which it is looked for. */
export function candidates(name: string, { domains, ndots }: Search): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const completed = domains.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...completed] : [...completed, name];
}
