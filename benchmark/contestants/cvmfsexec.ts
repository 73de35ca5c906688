// This package's launcher and client.
import { join } from 'node:path';
import type { Contestant, Source } from './contestant.ts';

export function cvmfsexec(packageDirectory: string, { fqrn, url, keysDirectory }: Source): Contestant {
  const program = join(packageDirectory, 'bin/cvmfsexec');
  return {
    name: 'cvmfsexec',
    root: `/cvmfs/${fqrn}`,
    coldness: 'cache',
    launch: (command, cache, debug = false) => {
      const parameters = [
        `CVMFS_SERVER_URL=${url}/@fqrn@`,
        `CVMFS_KEYS_DIR=${keysDirectory}`,
        'CVMFS_HTTP_PROXY=DIRECT',
        'CVMFS_QUOTA_LIMIT=-1',
        `CVMFS_CACHE_BASE=${cache}`,
      ];
      const options = parameters.flatMap((parameter) => ['-o', parameter]);
      return [program, ...(debug ? ['--debug'] : []), ...options, fqrn, '--', ...command];
    },
    isServer: (words) => words.includes('server') && words.some((word) => word.endsWith('/dist/start.cjs')),
    // Programs that walk through trees ask for STATFS, which kernels never keep.
    isRequest: (line) => line.includes(' -> ') && !line.includes(' -> STATFS '),
  };
}
