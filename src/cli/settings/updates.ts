// Whether to look for new revisions (client.md §5.7).
import type { Parameters } from '../../config/parameters.ts';

/** CVMFS_AUTO_UPDATE, which is on where it is not said. */
export function followsUpdates(parameters: Parameters): boolean {
  return parameters.get('CVMFS_AUTO_UPDATE') === undefined || parameters.isOn('CVMFS_AUTO_UPDATE');
}
