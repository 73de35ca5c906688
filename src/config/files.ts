// Which configuration files concern a repository, in the order in which they are read (client.md §8.1).
import { readdirSync } from 'node:fs';
import { ConfigError } from './error.ts';

export const SYSTEM_DIRECTORY = '/etc/cvmfs';

/** Everything after the first dot. */
export function domainOf(fqrn: string): string {
  return fqrn.slice(fqrn.indexOf('.') + 1);
}

/**
 * The names; not all of the files need exist. An empty fqrn asks for those that concern all repositories.
 * @param warn told of a directory that cannot be read
 */
export function filesFor(fqrn: string, directory: string, warn: (message: string) => void): string[] {
  const files = [
    `${directory}/default.conf`,
    ...defaultFiles(`${directory}/default.d`, warn),
    `${directory}/default.local`,
  ];
  if (fqrn === '') return files;
  for (const stem of [`domain.d/${domainOf(fqrn)}`, `config.d/${fqrn}`]) {
    files.push(`${directory}/${stem}.conf`, `${directory}/${stem}.local`);
  }
  return files;
}

function defaultFiles(directory: string, warn: (message: string) => void): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'));
    return names.sort().map((name) => `${directory}/${name}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!isMissing(code)) warn(`${directory} cannot be read (${code}): left out`);
    return [];
  }
}

/** @throws ConfigError NO_FILE for a directory that was named and cannot be read */
export function requireDirectory(directory: string): void {
  try {
    readdirSync(directory);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `cannot read the configuration directory ${directory} (${code}): check --config`;
    throw new ConfigError('NO_FILE', message, cause);
  }
}

export function isMissing(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
