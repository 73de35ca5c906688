// A directory of one user in a place that all users share. Others may have been there before, and mean harm.
import { accessSync, constants, lstatSync, mkdirSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

/**
 * `cvmfs-<user>`, mode 0700, in `parent`, if nobody but the user and root can replace it there. It is made if need be; the
 * path has no symbolic links. Throws with the reason where it cannot be used, with a `code` where that is the system's.
 */
export function privateDirectory(user: number, parent: string): string {
  const place = realpathSync(parent);
  const directory = `${place === '/' ? '' : place}/cvmfs-${user}`;
  const failure = replaceable(place) ?? claim(directory);
  if (failure !== undefined) throw new Error(failure);
  return directory;
}

/** Whoever may rename entries of a directory on the path can put another one in our place. */
function replaceable(path: string): string | undefined {
  const parent = dirname(path);
  const found = lstatSync(path);
  if (!isTrustedOwner(found)) return `${path} belongs to user ${found.uid}`;
  if ((found.mode & 0o022) !== 0 && (found.mode & 0o1000) === 0) return `${path} is writable by others and not sticky`;
  return parent === path ? undefined : replaceable(parent);
}

/** Somebody else may have made a directory of this name: it is not used, nor followed if a link. */
function claim(directory: string): string | undefined {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(directory);
  if (!found.isDirectory()) return `${directory} is not a directory`;
  if (found.uid !== process.geteuid?.()) return `${directory} belongs to user ${found.uid}`;
  if ((found.mode & 0o077) !== 0) return `${directory} is open to others`;
  accessSync(directory, constants.W_OK | constants.X_OK);
  return undefined;
}

/** What the kernel shows for every user id that has none in our user namespace. */
const OVERFLOW_ID = 65_534;

export function isTrustedOwner({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.() || (uid === OVERFLOW_ID && !isOfOthers(OVERFLOW_ID));
}

/**
 * Whether an id of our namespace can be a stranger's. In one that maps ourselves only, root is one of those without an id
 * here, and cannot be told from the others: there, the owner of a directory like /var/tmp is taken for root. The same holds
 * where we are mapped by ourselves and others beside: those are the ids that root has given to us (/etc/subuid).
 */
function isOfOthers(id: number): boolean {
  try {
    const ranges = readFileSync('/proc/self/uid_map', 'latin1').trim().split('\n').map(idRange);
    const own = ranges.find((range) => contains(range, process.geteuid?.() ?? 0));
    return own?.count !== 1 && ranges.some((range) => contains(range, id));
  } catch {
    // no /proc: no namespace can be told
    return true;
  }
}

interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** A line of uid_map: first id inside, first id outside, number of ids. */
function idRange(line: string): IdRange {
  const [first, , count] = line.trim().split(/\s+/).map(Number);
  return { first, count };
}

function contains({ first, count }: IdRange, id: number): boolean {
  return id >= first && id < first + count;
}
