// Whether a file is fit to be executed: nobody but its owner and root may have written it, or put it in its place.
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { isTrustedOwner } from './private-directory.ts';

/** Why not; undefined: it is fit. Whoever shares a group with the owner is trusted. */
export function unfitToExecute(file: string): string | undefined {
  try {
    return unfit(realpathSync(file));
  } catch (error) {
    return `${file} cannot be looked at (${(error as NodeJS.ErrnoException).code})`;
  }
}

function unfit(path: string): string | undefined {
  const found = lstatSync(path);
  if (!isTrustedOwner(found)) return `${path} belongs to user ${found.uid}`;
  if (isOpen(found)) return `${path} is writable by everybody`;
  const parent = dirname(path);
  return parent === path ? undefined : unfit(parent);
}

/** In a sticky directory only owners replace what is theirs. */
function isOpen(found: Stats): boolean {
  return (found.mode & 0o002) !== 0 && !(found.isDirectory() && (found.mode & 0o1000) !== 0);
}
