// The servers and proxies of a repository, and how patient to be with them (client.md §7, §8.6).
import { ConfigError } from '../../config/error.ts';
import type { Parameters } from '../../config/parameters.ts';
import type { DownloadSettings } from '../../download/settings.ts';
import type { RepositorySettings } from '../../filesystem/mounted-repository.ts';

type Servers = RepositorySettings['servers'];

/** @throws ConfigError MISSING when no server is known */
export function servers(parameters: Parameters): Servers {
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

/** Those for external data (client.md §5.8); undefined when there are none. */
export function externalServers(parameters: Parameters): Servers | undefined {
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

function splitList(text: string | undefined): string[] {
  return (text ?? '').split(';').filter((part) => part !== '');
}
