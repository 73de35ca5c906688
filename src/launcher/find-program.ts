// Finding programs as the shell side does (cx_find in programs.sh): users often have no sbin in their PATH.
import { accessSync, constants, statSync } from 'node:fs';

const SYSTEM_DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Absolute path of the first of `names` that is there; undefined: none is. */
export function findProgram(...names: readonly string[]): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(':'), ...SYSTEM_DIRECTORIES];
  for (const name of names) {
    for (const directory of directories) {
      const path = `${directory}/${name}`;
      if (directory.startsWith('/') && isProgram(path)) return path;
    }
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
