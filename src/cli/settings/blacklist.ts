// The blacklist that applies to a repository (client.md §1.6): the site's, and the one of the configuration repository.
import { ConfigError } from '../../config/error.ts';
import type { Parameters } from '../../config/parameters.ts';
import { type Blacklist, parseBlacklist } from '../../repository/blacklist.ts';

const SYSTEM_BLACKLIST = '/etc/cvmfs/blacklist';

/**
 * Gives what reads it again, while the repository is mounted. The configuration repository is closed by then: of its
 * blacklist the state at the start counts.
 * @throws ConfigError NO_FILE
 */
export function blacklistReader(parameters: Parameters): () => Blacklist {
  const file = parameters.get('CVMFS_BLACKLIST') ?? SYSTEM_BLACKLIST;
  const { signed } = parameters.files;
  const ofRepository = signed ? readIfThere(parameters, `${signed.mountpoint}/etc/cvmfs/blacklist`) : '';
  // A site may name a file of the repository.
  const own = parameters.files.isSigned(file) ? readIfThere(parameters, file) : undefined;
  return () => parseBlacklist(own ?? readIfThere(parameters, file), ofRepository);
}

/** A file that is missing says nothing; one that cannot be read must not be overlooked. */
function readIfThere({ files }: Parameters, file: string): string {
  try {
    return files.read(file)?.toString('latin1') ?? '';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Not there yet.
    if (typeof code !== 'string') throw cause;
    throw new ConfigError('NO_FILE', `cannot read the blacklist ${file} (${code})`, cause);
  }
}
