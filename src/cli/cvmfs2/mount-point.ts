// Where a repository is to be served: a directory that is mounted here, or a descriptor that somebody else has mounted
// (client.md §9.2).
import { fstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { ExitCode, MountFailure } from './exit-codes.ts';

export type MountPoint = { readonly fd: number } | { readonly directory: string };

/** Character device 10:229, as fstat encodes it. */
const DEV_FUSE = (10 << 8) | 229;

/**
 * A directory's path becomes absolute and free of links. From then on it must not be looked at: who looks waits for us.
 * @throws MountFailure
 */
export function mountPoint(word: string): MountPoint {
  const number = /^\/dev\/fd\/(\d{1,9})$/.exec(word)?.[1];
  return number === undefined ? { directory: directory(word) } : { fd: descriptor(Number(number)) };
}

/** By its number: opening the path would give another descriptor of the device, which nobody has mounted. */
function descriptor(fd: number): number {
  let device: number | undefined;
  try {
    device = fstatSync(fd).rdev;
  } catch {
    // not open
  }
  if (device === DEV_FUSE) return fd;
  const found = device === undefined ? 'is not open' : 'is none of /dev/fuse';
  throw new MountFailure(ExitCode.mount, `descriptor ${fd} ${found}: it is for programs that mount by themselves`);
}

function directory(path: string): string {
  try {
    if (statSync(path).isDirectory()) return checkedFree(realpathSync(path));
  } catch (cause) {
    if (cause instanceof MountFailure) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const advice =
      code === 'ENOTCONN' ? `unmount what is left of an earlier mount: umount -l ${path}` : 'make it first';
    throw new MountFailure(ExitCode.permission, `cannot use the mount point ${path} (${code}): ${advice}`, cause);
  }
  throw new MountFailure(ExitCode.permission, `the mount point ${path} is not a directory`);
}

function checkedFree(path: string): string {
  const mount = mountAt(path);
  if (mount?.type !== 'fuse' || mount.source !== 'cvmfs2') return path;
  throw new MountFailure(ExitCode.otherMount, `a repository is already mounted on ${path}`);
}

export interface MountEntry {
  /** Absolute. */
  readonly place: string;
  /** major:minor. */
  readonly device: string;
  readonly type: string;
  readonly source: string;
}

/** What is mounted on top at `path`; undefined: nothing, or there is no /proc to tell. */
export function mountAt(path: string): MountEntry | undefined {
  return mounts().findLast(({ place }) => place === path);
}

/** All mounts, in the order they were made. Nothing without /proc. */
export function mounts(): MountEntry[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'latin1');
  } catch {
    return [];
  }
  const found: MountEntry[] = [];
  for (const line of table.split('\n')) {
    const [before, after] = line.split(' - ');
    const [, , device, , place] = before.split(' ');
    if (!after) continue;
    const [type, source] = after.split(' ');
    found.push({ place: unescaped(place), device, type, source: unescaped(source) });
  }
  return found;
}

/** Blanks, newlines and backslashes are written in octal; all else is bytes. */
function unescaped(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}
