// A root directory of Debian sid with apptainer in it, which no older Debian has. Made by debootstrap from the mirror that this
// machine's apt uses, in a minute, and kept: in $CVMFSEXEC_TEST_ROOTS, or in the user's cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isRoot } from './ordinary-user.ts';

const PACKAGES = ['apptainer', 'busybox-static', 'fuse3', 'fuse-overlayfs', 'procps', 'uidmap', 'util-linux'];
const LIMIT_MS = 8 * 60_000;

/** Its directory, or why there is none. With CVMFSEXEC_TEST_APPTAINER=required there must be one. */
export function apptainerRoot(): { directory: string } | { missing: string } {
  const root = isRoot ? made() : { missing: 'only root can make a Debian root directory' };
  if ('missing' in root && process.env.CVMFSEXEC_TEST_APPTAINER === 'required') throw new Error(root.missing);
  return root;
}

function made(): { directory: string } | { missing: string } {
  const parent =
    process.env.CVMFSEXEC_TEST_ROOTS || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cvmfsexec-test');
  const directory = join(parent, 'sid-apptainer');
  if (existsSync(join(directory, 'usr/bin/apptainer'))) return { directory };
  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(parent, { recursive: true });
  const from = mirror();
  if (!from) return { missing: 'no mirror of Debian in /etc/apt/sources.list or sources.list.d' };
  const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, 'sid', unfinished, from];
  const { status, error, stdout } = spawnSync('debootstrap', args, { timeout: LIMIT_MS, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    const reason = error ? error.message : stdout.trim().split('\n').at(-1);
    return { missing: `debootstrap cannot make one: ${reason}` };
  }
  for (const name of readdirSync(join(unfinished, 'var/cache/apt/archives'))) {
    if (name.endsWith('.deb')) rmSync(join(unfinished, 'var/cache/apt/archives', name));
  }
  if (!existsSync(join(unfinished, 'etc/hosts'))) writeFileSync(join(unfinished, 'etc/hosts'), '127.0.0.1 localhost\n');
  renameSync(unfinished, directory);
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
