// Repository names as people give them.
import { ConfigError } from './error.ts';
import { isRepositoryName } from './names.ts';
import { type ParameterOptions, Parameters } from './parameters.ts';

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
