// Commands that see temporary directories of their own: /var/tmp, /tmp and /dev/shm, which are empty, and a directory of the
// test's at /mnt, in which `home` is the home.
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isRoot, user } from './ordinary-user.ts';
import type { Installation, Outcome } from './run-cvmfsexec.ts';

export interface PlacesOptions {
  /** Run before, with all rights over the mounts, as root where the tests are. */
  readonly setup?: string;
  /** What is shown at /mnt. */
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly limit?: number;
}

const MOUNTS = `
  set -e; mount --bind "$1" /mnt; cd /mnt
  for place in /var/tmp /tmp /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs $place; done
`;

/** Runs a script of sh as the ordinary user. */
export function inPrivatePlaces(place: Installation, script: string, options: PlacesOptions): Promise<Outcome> {
  const { directory, setup = '', env = {}, limit } = options;
  const home = join(directory, 'home');
  mkdirSync(home, { recursive: true });
  if (isRoot) chownSync(home, user.uid, user.gid);
  chmodSync(home, 0o700);
  const become = isRoot ? `setpriv --reuid=${user.uid} --regid=${user.gid} --clear-groups` : '';
  const namespace = [
    'unshare',
    ...(isRoot ? [] : ['--user', '--map-root-user']),
    '--mount',
    '--propagation',
    'private',
  ];
  const words = [...namespace, 'sh', '-c', `${MOUNTS}${setup}\nshift; exec ${become} "$@"`, 'sh', directory];
  return place.command([...words, 'sh', '-c', script], {
    as: { name: 'root', uid: 0, gid: 0, prefix: [] },
    env: { HOME: '/mnt/home', ...env },
    ...(limit === undefined ? {} : { limit }),
  });
}
