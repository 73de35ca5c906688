// From the parameters of a repository to what mounting it needs.
import { readFileSync } from 'node:fs';
import { cachePlace } from '../config/cache-place.ts';
import { ConfigError } from '../config/error.ts';
import { masterKeys } from '../config/key-files.ts';
import { Parameters } from '../config/parameters.ts';
import { fullName } from '../config/repository-name.ts';
import type { DownloadSettings } from '../download/settings.ts';
import type { RepositorySettings } from '../filesystem/mounted-repository.ts';
import { outerUserId } from '../launcher/outer-user.ts';
import { parseBlacklist } from '../repository/blacklist.ts';
import { parseMasterKey } from '../repository/master-keys.ts';
import type { LaunchWords } from './launch-words.ts';

const SYSTEM_BLACKLIST = '/etc/cvmfs/blacklist';

/**
 * @param report told of everything in the configuration that does not end the launch
 * @throws ConfigError, RepositoryError: why the repository cannot be mounted
 */
export function repositorySettings(
  name: string,
  launch: LaunchWords,
  report: (message: string) => void,
): RepositorySettings {
  const { parameters: options, configDirectory } = launch;
  const sources = { options, configDirectory, environment: process.env };
  const fqrn = fullName(name, sources);
  const parameters = Parameters.load({ ...sources, fqrn });
  for (const warning of parameters.warnings) report(warning);
  const place = cachePlace(parameters, outerUserId());
  if (place.warning) report(place.warning);
  return {
    fqrn,
    masterKeys: masterKeys(parameters).map(({ pem, label }) => parseMasterKey(pem, label)),
    blacklist: parseBlacklist(readIfThere(parameters.get('CVMFS_BLACKLIST') ?? SYSTEM_BLACKLIST)),
    fixedRoot: parameters.get('CVMFS_ROOT_HASH'),
    tag: parameters.get('CVMFS_REPOSITORY_TAG'),
    date: parameters.get('CVMFS_REPOSITORY_DATE'),
    alternativePath: parameters.isOn('CVMFS_ALT_ROOT_PATH'),
    cacheDirectory: place.directory,
    servers: servers(parameters),
    externalServers: externalServers(parameters),
    ownership: {
      claim: parameters.isOn('CVMFS_CLAIM_OWNERSHIP') ? self() : undefined,
      worldReadable: parameters.isOn('CVMFS_WORLD_READABLE'),
    },
    variables: variables(parameters),
    report,
  };
}

type Servers = RepositorySettings['servers'];

function servers(parameters: Parameters): Servers {
  const list = splitList(parameters.get('CVMFS_SERVER_URL'));
  if (list.length === 0) {
    const { fqrn } = parameters;
    throw new ConfigError(
      'MISSING',
      `no server is known for ${fqrn}: set CVMFS_SERVER_URL (check the name's spelling)`,
    );
  }
  return {
    servers: list,
    proxies: parameters.get('CVMFS_HTTP_PROXY') ?? '',
    fallbackProxies: parameters.get('CVMFS_FALLBACK_PROXY') ?? '',
    timeout: parameters.number('CVMFS_TIMEOUT', 5),
    timeoutDirect: parameters.number('CVMFS_TIMEOUT_DIRECT', 5),
    ...transfers(parameters),
  };
}

function externalServers(parameters: Parameters): Servers | undefined {
  const list = splitList(parameters.get('CVMFS_EXTERNAL_URL'));
  if (list.length === 0) return undefined;
  const timeout = parameters.number('CVMFS_TIMEOUT', 5);
  const timeoutDirect = parameters.number('CVMFS_TIMEOUT_DIRECT', 5);
  return {
    servers: list,
    proxies: parameters.get('CVMFS_EXTERNAL_HTTP_PROXY') ?? 'DIRECT',
    fallbackProxies: parameters.get('CVMFS_EXTERNAL_FALLBACK_PROXY') ?? '',
    timeout: parameters.number('CVMFS_EXTERNAL_TIMEOUT', timeout),
    timeoutDirect: parameters.number('CVMFS_EXTERNAL_TIMEOUT_DIRECT', timeoutDirect),
    ...transfers(parameters),
  };
}

function transfers(parameters: Parameters): Partial<DownloadSettings> {
  return {
    lowSpeedLimit: parameters.number('CVMFS_LOW_SPEED_LIMIT', 1024),
    maxRetries: parameters.number('CVMFS_MAX_RETRIES', 1),
    backoffInit: parameters.number('CVMFS_BACKOFF_INIT', 2),
    backoffMax: parameters.number('CVMFS_BACKOFF_MAX', 10),
    hostResetAfter: parameters.number('CVMFS_HOST_RESET_AFTER', 0),
    proxyResetAfter: parameters.number('CVMFS_PROXY_RESET_AFTER', 0),
    followRedirects: parameters.isOn('CVMFS_FOLLOW_REDIRECTS'),
    sendInfoHeader: parameters.isOn('CVMFS_SEND_INFO_HEADER'),
  };
}

/** The environment, all parameters, and two names of the client's own (client.md §3.10). */
function variables(parameters: Parameters): Record<string, string | undefined> {
  const values: Record<string, string | undefined> = { ...process.env };
  for (const name of parameters.names()) values[name] = parameters.get(name);
  values.CVMFS_FQRN ??= parameters.fqrn;
  values.CVMFS_ARCH = MACHINES[process.arch] ?? process.arch;
  return values;
}

/** What `uname -m` says, by Node's name. */
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

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

function splitList(text: string | undefined): string[] {
  return (text ?? '').split(';').filter((part) => part !== '');
}
