// The repositories that a command is about.
import { ConfigError } from '../../config/error.ts';
import { Parameters } from '../../config/parameters.ts';
import { listedRepositories } from '../../config/strict-mount.ts';
import type { LaunchWords } from '../launch-words.ts';

/** Those that are named, else those in CVMFS_REPOSITORIES. @throws ConfigError MISSING when there is none either */
export function askedRepositories({
  repositories,
  parameters: options,
  configDirectory,
}: LaunchWords): readonly string[] {
  if (repositories.length > 0) return repositories;
  const parameters = Parameters.load({ fqrn: '', options, configDirectory, environment: process.env });
  const listed = listedRepositories(parameters);
  if (listed.length > 0) return listed;
  throw new ConfigError('MISSING', 'no repository is named, and CVMFS_REPOSITORIES lists none: name one');
}
