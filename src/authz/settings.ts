// What checking memberships needs to know (client.md §8.6, §10.3).
import type { Handshake } from './messages.ts';

export interface AuthzSettings {
  /** CVMFS_AUTHZ_HELPER; undefined: found by the requirement's schema. */
  readonly helper?: string | undefined;
  /** CVMFS_AUTHZ_SEARCH_PATH. */
  readonly searchPath: string;
  /** CVMFS_AUTHZ_*, without the prefix. */
  readonly environment: Readonly<Record<string, string>>;
  readonly handshake: Handshake;
  /** Uid 0 of the mount's namespace is the system's, and needs no membership. */
  readonly rootIsExempt: boolean;
  /** Seconds for one answer of the helper. */
  readonly patience?: number;
}

export const DEFAULT_SEARCH_PATH = '/usr/libexec/cvmfs/authz';
