// Root directories of Debian for tests, made by debootstrap from the mirror that this machine's apt uses, each in a minute, and
// kept: in $CVMFSEXEC_TEST_ROOTS, or in the user's cache.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isRoot } from './ordinary-user.ts';

const LIMIT_MS = 8 * 60_000;

export interface DebianRoot {
  /** Of the directory. */
  readonly name: string;
  readonly suite: string;
  /** Beside the essential ones. */
  readonly packages: readonly string[];
  /** A file that is there when it is complete. */
  readonly proof: string;
}

/** Its directory, or why there is none. */
export function debianRoot(root: DebianRoot): { directory: string } | { missing: string } {
  const { name, suite, packages, proof } = root;
  if (!isRoot) return { missing: 'only root can make a Debian root directory' };
  const parent =
    process.env.CVMFSEXEC_TEST_ROOTS || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cvmfsexec-test');
  const directory = join(parent, name);
  if (existsSync(join(directory, proof))) return completed(directory);
  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(parent, { recursive: true });
  const from = mirror();
  if (!from) return { missing: 'no mirror of Debian in /etc/apt/sources.list or sources.list.d' };
  const args = ['--variant=minbase', `--include=${packages.join(',')}`, suite, unfinished, from];
  const { status, error, stdout } = spawnSync('debootstrap', args, { timeout: LIMIT_MS, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    const reason = error ? error.message : stdout.trim().split('\n').at(-1);
    return { missing: `debootstrap cannot make one: ${reason}` };
  }
  for (const file of readdirSync(join(unfinished, 'var/cache/apt/archives'))) {
    if (file.endsWith('.deb')) rmSync(join(unfinished, 'var/cache/apt/archives', file));
  }
  if (!existsSync(join(unfinished, 'etc/hosts'))) writeFileSync(join(unfinished, 'etc/hosts'), '127.0.0.1 localhost\n');
  renameSync(unfinished, directory);
  return completed(directory);
}

/** With the table of mounts that fusermount reads, which an installed system has. */
function completed(directory: string): { directory: string } {
  try {
    symlinkSync('../proc/self/mounts', join(directory, 'etc/mtab'));
  } catch {
    // it is there
  }
  return { directory };
}

/** The one that this machine installs its packages from. */
function mirror(): string | undefined {
  const lists = ['/etc/apt/sources.list'];
  try {
    lists.push(...readdirSync('/etc/apt/sources.list.d').map((name) => `/etc/apt/sources.list.d/${name}`));
  } catch {
    // another distribution
  }
  for (const list of lists.filter((path) => existsSync(path))) {
    const found = /https?:\/\/\S+\/debian\/?(?=\s|$)/m.exec(readFileSync(list, 'utf8'));
    if (found) return found[0];
  }
  return undefined;
}
