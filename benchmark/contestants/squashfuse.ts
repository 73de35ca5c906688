// The same tree through FUSE by a small program in C, where squashfuse and mksquashfs are installed: how fast a file system
// in user space is on this machine. Its image is uncompressed and in memory, so it has less to do than any client.
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant } from './contestant.ts';

const UNCOMPRESSED = ['-noI', '-noD', '-noF', '-noX'];

/** Undefined when there is none. `mountpoint`: a directory of the user's. `directory`: where the big repository is. */
export function squashfuse(mountpoint: string, directory: string): Contestant | undefined {
  if (!['squashfuse_ll', 'mksquashfs'].every(isInstalled)) return undefined;
  const image = join(directory, 'tree.squashfs');
  if (!existsSync(image)) {
    const words = [join(directory, 'tree'), `${image}.new`, ...UNCOMPRESSED, '-noappend', '-no-progress', '-quiet'];
    execFileSync('mksquashfs', words, { stdio: ['ignore', 'ignore', 'inherit'] });
    renameSync(`${image}.new`, image);
  }
  // Ends with the mount namespace: the server sees that its mount is gone.
  const script = 'squashfuse_ll "$1" "$2" && shift 2 && "$@"';
  return {
    name: 'squashfuse',
    root: mountpoint,
    coldness: 'image',
    launch: (command) => ['unshare', '-rm', 'sh', '-c', script, 'sh', image, mountpoint, ...command],
  };
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, program)));
}
