// CVMFS_ROOT_HASH: a revision that is shown whatever the servers say is the newest.
import { ConfigError } from '../../config/error.ts';
import type { Parameters } from '../../config/parameters.ts';
import { ContentHash } from '../../objects/hash.ts';

/**
 * undefined: none is set. The reference takes what is no hash for not set; whoever asks for one revision must not get another.
 * @throws ConfigError BAD_VALUE for what is no hash
 */
export function fixedRoot(parameters: Parameters): string | undefined {
  const text = parameters.get('CVMFS_ROOT_HASH');
  if (!text || ContentHash.parse(text)) return text;
  throw new ConfigError(
    'BAD_VALUE',
    `CVMFS_ROOT_HASH=${text} is not the hash of a root catalog: give all of its 40 digits, or leave it out`,
  );
}
