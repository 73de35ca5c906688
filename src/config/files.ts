// Which configuration files concern a repository, in the order in which they are read (client.md §8.1).
import { accessSync, constants, readdirSync } from 'node:fs';
import { ConfigError } from './error.ts';

/** Everything after the first dot. */
export function domainOf(fqrn: string): string {
  return fqrn.slice(fqrn.indexOf('.') + 1);
}

/** Files that concern all repositories, and are read before the configuration repository is known. */
export function firstFiles(directory: string, warn: (message: string) => void): string[] {
  return [`${directory}/default.conf`, ...defaultFiles(`${directory}/default.d`, warn)];
}

/**
 * Those that are read afterwards. None of them need exist.
 * @param fqrn '' asks for what concerns all repositories
 * @param repository the directory etc/cvmfs of the configuration repository
 */
export function laterFiles(fqrn: string, directory: string, repository: string | undefined): string[] {
  const files = [`${directory}/default.local`];
  if (repository !== undefined) files.unshift(`${repository}/default.conf`);
  if (fqrn === '') return files;
  for (const stem of [`domain.d/${domainOf(fqrn)}`, `config.d/${fqrn}`]) {
    if (repository !== undefined) files.push(`${repository}/${stem}.conf`);
    files.push(`${directory}/${stem}.conf`, `${directory}/${stem}.local`);
  }
  return files;
}

function defaultFiles(directory: string, warn: (message: string) => void): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'));
    return names.sort(byBytes).map((name) => `${directory}/${name}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!isMissing(code)) warn(`${directory} cannot be read (${code}): left out`);
    return [];
  }
}

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
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

/** @throws ConfigError NO_FILE for a file that was named and cannot be read */
export function requireFile(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('NO_FILE', `cannot read the configuration file ${file} (${code})`, cause);
  }
}

export function isMissing(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
