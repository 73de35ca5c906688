// Where the talk socket of a repository is (client.md §9.4).
import type { Parameters } from '../../config/parameters.ts';

/** `cacheDirectory`: the workspace, where none is configured; undefined: there is none. */
export function talkSocket(parameters: Parameters, cacheDirectory: string | undefined): string | undefined {
  const configured = parameters.get('CVMFS_TALK_SOCKET');
  if (configured) return configured;
  const workspace = parameters.get('CVMFS_WORKSPACE') || parameters.get('CVMFS_CACHE_WORKSPACE') || cacheDirectory;
  return workspace && `${workspace}/cvmfs_io.${parameters.fqrn}`;
}
