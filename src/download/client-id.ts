// The client's stable id in `<cache>/uuid`, by which servers of the Geo-API can tell clients without a proxy apart
// (client.md §6.2, §7.8).
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const UUID = /^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

/** Reads it, or makes it; where nothing can be stored, a new one for this process. */
export function clientId(directory: string | undefined): string {
  if (directory === undefined) return randomUUID();
  const file = `${directory}/uuid`;
  const before = read(file);
  if (before !== undefined) return before;
  const id = randomUUID();
  const temporary = `${file}.${id}`;
  try {
    writeFileSync(temporary, `${id}\n`, { mode: 0o644, flag: 'wx' });
    // Of several processes that make one at once, the first one wins.
    linkSync(temporary, file);
  } catch {
    return read(file) ?? id;
  } finally {
    rmSync(temporary, { force: true });
  }
  return id;
}

function read(file: string): string | undefined {
  try {
    const [line] = readFileSync(file, 'latin1').split('\n');
    return UUID.test(line) ? line : undefined;
  } catch {
    return undefined;
  }
}
