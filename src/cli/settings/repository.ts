// From the parameters of a repository to what mounting it needs.
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../config/error.ts';
import { masterKeys } from '../../config/key-files.ts';
import { Parameters } from '../../config/parameters.ts';
import { fullName } from '../../config/repository-name.ts';
import type { RepositorySettings } from '../../filesystem/mounted-repository.ts';
import { parseBlacklist } from '../../repository/blacklist.ts';
import { parseMasterKey } from '../../repository/master-keys.ts';
import type { LaunchWords } from '../launch-words.ts';
import { attributeRules } from './attributes.ts';
import { cacheSettings } from './cache.ts';
import { openLog } from './logs.ts';
import { externalServers, servers } from './servers.ts';
import { variables } from './variables.ts';

const SYSTEM_BLACKLIST = '/etc/cvmfs/blacklist';

/**
 * @param report told of everything in the configuration that does not end the launch
 * @throws ConfigError, RepositoryError: why the repository cannot be mounted
 */
export async function repositorySettings(
  name: string,
  launch: LaunchWords,
  report: (message: string) => void,
): Promise<RepositorySettings> {
  const { parameters: options, configDirectory } = launch;
  const sources = { options, configDirectory, environment: process.env };
  const fqrn = fullName(name, sources);
  const parameters = Parameters.load({ ...sources, fqrn });
  const log = openLog(parameters, report);
  const warn = (message: string): void => log.warn(message);
  for (const warning of parameters.warnings) warn(warning);
  const cache = cacheSettings(parameters, warn);
  return {
    fqrn,
    masterKeys: masterKeys(parameters).map(({ pem, label }) => parseMasterKey(pem, label)),
    blacklist: parseBlacklist(readIfThere(parameters.get('CVMFS_BLACKLIST') ?? SYSTEM_BLACKLIST)),
    fixedRoot: parameters.get('CVMFS_ROOT_HASH'),
    tag: parameters.get('CVMFS_REPOSITORY_TAG'),
    date: parameters.get('CVMFS_REPOSITORY_DATE'),
    alternativePath: parameters.isOn('CVMFS_ALT_ROOT_PATH'),
    ...cache,
    offline: launch.offline,
    // Without network it does not matter where the servers are.
    servers: launch.offline ? { servers: [] } : servers(parameters, cache.cacheDirectory, report),
    externalServers: launch.offline ? { servers: [] } : externalServers(parameters, cache.cacheDirectory, report),
    ownership: {
      claim: parameters.isOn('CVMFS_CLAIM_OWNERSHIP') ? self() : undefined,
      worldReadable: parameters.isOn('CVMFS_WORLD_READABLE'),
    },
    variables: variables(parameters),
    attributeRules: attributeRules(parameters, warn),
    report: warn,
    log,
  };
}

function self(): { uid: number; gid: number } {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

/** A file that is missing says nothing; one that cannot be read must not be overlooked (client.md §1.6). */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new ConfigError('NO_FILE', `cannot read the blacklist ${file} (${code})`, cause);
  }
}
