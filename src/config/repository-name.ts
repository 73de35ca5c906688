// Names of repositories (client.md §8.1).
import { ConfigError } from './error.ts';
import { type ParameterOptions, Parameters } from './parameters.ts';

const VALID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/;

/** Names become path components and parts of URLs. */
export function isRepositoryName(name: string): boolean {
  return VALID.test(name);
}

/**
 * Completes a repository name without a dot by CVMFS_DEFAULT_DOMAIN.
 * @throws ConfigError BAD_NAME, NO_FILE
 */
export function fullName(name: string, options: Omit<ParameterOptions, 'fqrn'>): string {
  const domain = name.includes('.') ? undefined : Parameters.load({ ...options, fqrn: '' }).get('CVMFS_DEFAULT_DOMAIN');
  const full = domain ? `${name}.${domain}` : name;
  if (isRepositoryName(full)) return full;
  const origin = domain ? ' (check CVMFS_DEFAULT_DOMAIN)' : '';
  throw new ConfigError(
    'BAD_NAME',
    `${JSON.stringify(full)} is not a repository name${origin}: letters, digits, '.', '-' and '_', at most 60`,
  );
}
