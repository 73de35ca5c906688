// The servers and proxies of a repository, and how patient to be with them (client.md §7, §8.6).
import { ConfigError } from '../../config/error.ts';
import type { Parameters } from '../../config/parameters.ts';
import { readAuthorities } from '../../download/authorities.ts';
import { pacUrls } from '../../download/proxy-discovery.ts';
import { parseTracingHeaders, userAgent } from '../../download/request-headers.ts';
import type { DownloadSettings } from '../../download/settings.ts';
import type { RepositorySettings } from '../../filesystem/mounted-repository.ts';

type Servers = RepositorySettings['servers'];

/**
 * @param stateDirectory the cache's: where what was found out about the network is kept
 * @throws ConfigError MISSING when no server is known
 */
export function servers(parameters: Parameters, stateDirectory: string, report: (line: string) => void): Servers {
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
    maxServers: parameters.number('CVMFS_MAX_SERVERS', 0),
    proxies: parameters.get('CVMFS_HTTP_PROXY') ?? '',
    fallbackProxies: parameters.get('CVMFS_FALLBACK_PROXY') ?? '',
    timeout: parameters.number('CVMFS_TIMEOUT', 5),
    timeoutDirect: parameters.number('CVMFS_TIMEOUT_DIRECT', 5),
    stateDirectory,
    name: parameters.fqrn,
    ...shared(parameters, report),
  };
}

/** Those for external data (client.md §5.8); undefined when there are none. */
export function externalServers(
  parameters: Parameters,
  stateDirectory: string,
  report: (line: string) => void,
): Servers | undefined {
  const list = splitList(parameters.get('CVMFS_EXTERNAL_URL'));
  if (list.length === 0) return undefined;
  const timeout = parameters.number('CVMFS_TIMEOUT', 5);
  const timeoutDirect = parameters.number('CVMFS_TIMEOUT_DIRECT', 5);
  return {
    servers: list,
    maxServers: parameters.number('CVMFS_EXTERNAL_MAX_SERVERS', 0),
    proxies: parameters.get('CVMFS_EXTERNAL_HTTP_PROXY') || 'DIRECT',
    fallbackProxies: parameters.get('CVMFS_EXTERNAL_FALLBACK_PROXY') ?? '',
    timeout: parameters.number('CVMFS_EXTERNAL_TIMEOUT', timeout),
    timeoutDirect: parameters.number('CVMFS_EXTERNAL_TIMEOUT_DIRECT', timeoutDirect),
    stateDirectory,
    name: `${parameters.fqrn}.external`,
    ...shared(parameters, report),
  };
}

function shared(parameters: Parameters, report: (line: string) => void): Partial<DownloadSettings> {
  const environment = environmentOf(parameters);
  return {
    useGeo: parameters.isOn('CVMFS_USE_GEOAPI'),
    proxyTemplate: parameters.get('CVMFS_PROXY_TEMPLATE') ?? '',
    pacUrls: pacUrls(parameters.get('CVMFS_PAC_URLS') ?? ''),
    proxyStrict: parameters.isOn('CVMFS_PROXY_STRICT'),
    proxyShard: parameters.isOn('CVMFS_PROXY_SHARD'),
    maxAddressesPerProxy: parameters.number('CVMFS_MAX_IPADDR_PER_PROXY', 0),
    lowSpeedLimit: parameters.number('CVMFS_LOW_SPEED_LIMIT', 1024),
    maxRetries: parameters.number('CVMFS_MAX_RETRIES', 1),
    backoffInit: parameters.number('CVMFS_BACKOFF_INIT', 2),
    backoffMax: parameters.number('CVMFS_BACKOFF_MAX', 10),
    failoverIndefinitely: parameters.isOn('CVMFS_FAILOVER_INDEFINITELY'),
    hostResetAfter: parameters.number('CVMFS_HOST_RESET_AFTER', 0),
    proxyResetAfter: parameters.number('CVMFS_PROXY_RESET_AFTER', 0),
    followRedirects: parameters.isOn('CVMFS_FOLLOW_REDIRECTS'),
    sendInfoHeader: parameters.isOn('CVMFS_SEND_INFO_HEADER'),
    tracing: tracing(parameters, report),
    dns: {
      timeout: parameters.number('CVMFS_DNS_TIMEOUT', 3),
      retries: parameters.number('CVMFS_DNS_RETRIES', 1),
      minTtl: parameters.number('CVMFS_DNS_MIN_TTL', 60),
      maxTtl: parameters.number('CVMFS_DNS_MAX_TTL', 86_400),
      server: parameters.get('CVMFS_DNS_SERVER') ?? '',
      family: parameters.get('CVMFS_IPFAMILY_PREFER') === '6' ? 6 : 4,
      roaming: parameters.isOn('CVMFS_DNS_ROAMING'),
      environment,
    },
    userAgent: userAgent(environment),
    authorities: () => readAuthorities(environment, parameters.isOn('CVMFS_USE_SSL_SYSTEM_CA')),
    environment,
  };
}

function tracing(parameters: Parameters, report: (line: string) => void): string | undefined {
  if (!parameters.isOn('CVMFS_HTTP_TRACING')) return undefined;
  return parseTracingHeaders(parameters.get('CVMFS_HTTP_TRACING_HEADERS') ?? '', report);
}

/** What the client reads from its environment may also be set in configuration files (client.md §8.6). */
function environmentOf(parameters: Parameters): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {};
  for (const name of FROM_ENVIRONMENT) environment[name] = parameters.get(name) ?? process.env[name];
  return environment;
}

const FROM_ENVIRONMENT = [
  'http_proxy',
  'CVMFS_IPV4_ONLY',
  'CERNVM_UUID',
  'X509_CERT_DIR',
  'X509_CERT_BUNDLE',
  'HOST_ALIASES',
];

function splitList(text: string | undefined): string[] {
  return (text ?? '').split(';').filter((part) => part !== '');
}
