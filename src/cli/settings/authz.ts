// How memberships are checked (client.md §8.6, §10.3).
import { type AuthzSettings, DEFAULT_SEARCH_PATH } from '../../authz/settings.ts';
import type { Parameters } from '../../config/parameters.ts';
import { outerUserId } from '../../launcher/outer-user.ts';

const PREFIX = 'CVMFS_AUTHZ_';

export function authzSettings(parameters: Parameters): AuthzSettings {
  const names = parameters.names().filter((name) => name.startsWith(PREFIX));
  const debugLog = parameters.get('CVMFS_DEBUGLOG');
  return {
    helper: parameters.get('CVMFS_AUTHZ_HELPER'),
    searchPath: parameters.get('CVMFS_AUTHZ_SEARCH_PATH') || DEFAULT_SEARCH_PATH,
    environment: Object.fromEntries(names.map((name) => [name.slice(PREFIX.length), parameters.get(name) ?? ''])),
    handshake: {
      fqrn: parameters.fqrn,
      syslog_facility: parameters.number('CVMFS_SYSLOG_FACILITY', 0),
      syslog_level: parameters.number('CVMFS_SYSLOG_LEVEL', 3),
      ...(debugLog ? { debug_log: `${debugLog}.authz` } : {}),
    },
    // In a user namespace everybody is root.
    rootIsExempt: process.getuid?.() === 0 && outerUserId() === 0,
  };
}
