// Which master keys a repository is verified with (client.md §1.5).
import { readdirSync, readFileSync } from 'node:fs';
import { ConfigError } from './error.ts';
import { domainOf } from './files.ts';
import { MASTER_KEYS } from './master-keys.ts';
import type { Parameters } from './parameters.ts';

export interface MasterKeyText {
  readonly pem: string;
  /** Where it comes from, for messages. */
  readonly label: string;
}

/**
 * CVMFS_PUBLIC_KEY, else the `.pub` files of CVMFS_KEYS_DIR. Where that directory was not named for this launch and has no
 * usable key, the built-in keys of the repository's domain.
 * @throws ConfigError NO_FILE for a file or directory that was named and cannot be read, MISSING when there is no key
 */
export function masterKeys(parameters: Parameters): MasterKeyText[] {
  const files = parameters.get('CVMFS_PUBLIC_KEY')?.split(':').filter(Boolean) ?? [];
  if (files.length > 0) return files.map(readKey);
  const directory = parameters.get('CVMFS_KEYS_DIR') ?? '';
  const named = parameters.isChosen('CVMFS_KEYS_DIR');
  const builtIn = builtInKeys(parameters);
  const keys = builtIn ? usableKeys(directory) : keyFiles(directory, named).map(readKey);
  if (keys.length > 0) return keys;
  if (builtIn) return builtIn;
  throw new ConfigError(
    'MISSING',
    `no master key for ${parameters.fqrn} in ${directory || 'any directory'}: set CVMFS_PUBLIC_KEY or CVMFS_KEYS_DIR`,
  );
}

/** undefined: there are none, or whoever launches has named a directory and means it. */
function builtInKeys(parameters: Parameters): MasterKeyText[] | undefined {
  if (parameters.isChosen('CVMFS_KEYS_DIR') && !parameters.isOfSystem('CVMFS_KEYS_DIR')) return undefined;
  const domain = domainOf(parameters.fqrn);
  return MASTER_KEYS.get(domain)?.map((pem) => ({ pem, label: `built-in key of ${domain}` }));
}

/** The keys that can be read and look like one. */
function usableKeys(directory: string): MasterKeyText[] {
  return keyFiles(directory, false).flatMap((file) => {
    try {
      const key = readKey(file);
      return key.pem.includes('-----BEGIN PUBLIC KEY-----') ? [key] : [];
    } catch {
      return [];
    }
  });
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
