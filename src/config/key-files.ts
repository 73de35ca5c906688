// Which master keys a repository is verified with (client.md §1.5).
import { readdirSync, readFileSync } from 'node:fs';
import { ConfigError } from './error.ts';
import { MASTER_KEYS } from './master-keys.ts';
import { domainOf, type Parameters } from './parameters.ts';

export interface MasterKeyText {
  readonly pem: string;
  /** Where it comes from, for messages. */
  readonly label: string;
}

/**
 * CVMFS_PUBLIC_KEY, else the `.pub` files of CVMFS_KEYS_DIR, else the built-in keys of the repository's domain.
 * @throws ConfigError NO_FILE for a file or directory that was named and cannot be read, MISSING when there is no key
 */
export function masterKeys(parameters: Parameters): MasterKeyText[] {
  const files = parameters.get('CVMFS_PUBLIC_KEY')?.split(':').filter(Boolean) ?? [];
  if (files.length > 0) return files.map(readKey);
  const directory = parameters.get('CVMFS_KEYS_DIR') ?? '';
  const inDirectory = keyFiles(directory, parameters.isChosen('CVMFS_KEYS_DIR'));
  if (inDirectory.length > 0) return inDirectory.map(readKey);
  const builtIn = MASTER_KEYS[domainOf(parameters.fqrn)];
  if (builtIn && !parameters.isChosen('CVMFS_KEYS_DIR')) {
    return builtIn.map((pem) => ({ pem, label: `built-in key of ${domainOf(parameters.fqrn)}` }));
  }
  throw new ConfigError(
    'MISSING',
    `no master key for ${parameters.fqrn} in ${directory || 'any directory'}: set CVMFS_PUBLIC_KEY or CVMFS_KEYS_DIR`,
  );
}

function keyFiles(directory: string, required: boolean): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.pub'));
    return names.sort().map((name) => `${directory}/${name}`);
  } catch (cause) {
    if (!required) return [];
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ConfigError('NO_FILE', `cannot read CVMFS_KEYS_DIR=${directory} (${code})`, cause);
  }
}

function readKey(file: string): MasterKeyText {
  try {
    return { pem: readFileSync(file, 'latin1'), label: file };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ConfigError('NO_FILE', `cannot read the master key ${file} (${code}): check CVMFS_PUBLIC_KEY`, cause);
  }
}
