// The reference client, where it is installed: `cvmfs2` in namespaces of its own, as an ordinary user mounts it.
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant, Source } from './contestant.ts';

/** Undefined when there is none. `own`: a directory for the mount point and the configuration, which it must write. */
export function referenceClient(own: string, packageDirectory: string, source: Source): Contestant | undefined {
  const program = (process.env.PATH ?? '')
    .split(':')
    .concat('/usr/bin')
    .map((directory) => resolved(join(directory, 'cvmfs2')))
    // This package has a program of that name too.
    .find((path) => path !== undefined && !path.startsWith(`${realpathSync(packageDirectory)}/`));
  if (!program) return undefined;
  const { fqrn, url, keysDirectory } = source;
  return {
    name: 'cvmfs2',
    root: own,
    coldness: 'cache',
    launch: (command, cache) => {
      const file = `${cache}.conf`;
      writeFileSync(
        file,
        [
          `CVMFS_SERVER_URL='${url}/@fqrn@'`,
          `CVMFS_PUBLIC_KEY='${keysDirectory}/${fqrn}.pub'`,
          'CVMFS_HTTP_PROXY=DIRECT',
          'CVMFS_CLAIM_OWNERSHIP=yes',
          'CVMFS_SHARED_CACHE=no',
          'CVMFS_QUOTA_LIMIT=-1',
          `CVMFS_CACHE_BASE='${cache}'`,
          `CVMFS_RELOAD_SOCKETS='${cache}'`,
          '',
        ].join('\n'),
      );
      const namespaces = ['unshare', '--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child'];
      // It goes into the background when it has mounted; with the command, which is pid 1, it ends.
      const script = '"$1" -o config="$2" "$3" "$4" >&2 || exit 125; shift 4; exec "$@"';
      return [...namespaces, '--', 'sh', '-c', script, 'sh', program, file, fqrn, own, ...command];
    },
    isServer: (words) => words[0] === program || words[0].endsWith('/cvmfs2'),
  };
}

function resolved(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
