// Which repositories a machine is for: CVMFS_REPOSITORIES, and with CVMFS_STRICT_MOUNT no others (client.md §8.6).
import { ConfigError } from './error.ts';
import type { Parameters } from './parameters.ts';

/** Full names, in their order. */
export function listedRepositories(parameters: Parameters): string[] {
  const domain = parameters.get('CVMFS_DEFAULT_DOMAIN');
  const names = (parameters.get('CVMFS_REPOSITORIES') ?? '').split(/[,\s]+/).filter(Boolean);
  return [...new Set(names.map((name) => (name.includes('.') || !domain ? name : `${name}.${domain}`)))];
}

/** @throws ConfigError NOT_ALLOWED */
export function checkStrictMount(parameters: Parameters): void {
  const { fqrn } = parameters;
  if (!parameters.isOn('CVMFS_STRICT_MOUNT') || fqrn === parameters.get('CVMFS_CONFIG_REPOSITORY')) return;
  if (listedRepositories(parameters).includes(fqrn)) return;
  throw new ConfigError(
    'NOT_ALLOWED',
    `${fqrn} is not in CVMFS_REPOSITORIES, and CVMFS_STRICT_MOUNT allows no others: add it there, or set CVMFS_STRICT_MOUNT=no`,
  );
}
