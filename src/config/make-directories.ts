// `mkdir -p`. Node's own (the option `recursive`) never returns where a directory exists and answers mkdir with ENOENT,
// as /proc does, and automounters do for names they do not know.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a directory and those above it that are missing, all with `mode`. Throws what the system says. */
export function makeDirectories(path: string, mode: number): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectories(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have made it.
    if (!isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
