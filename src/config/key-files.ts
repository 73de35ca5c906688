// Which master keys a repository is verified with (client.md §1.5).
import { ConfigError } from './error.ts';
import type { FileTree } from './file-tree.ts';
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
 * @throws ConfigError KEY_FILE for a file or directory that was named and cannot be read, NO_KEY when there is no key
 */
export function masterKeys(parameters: Parameters): MasterKeyText[] {
  const files = parameters.get('CVMFS_PUBLIC_KEY')?.split(':').filter(Boolean) ?? [];
  if (files.length > 0) return files.map((file) => readKey(parameters.files, file));
  const directory = parameters.get('CVMFS_KEYS_DIR') ?? '';
  const named = parameters.isChosen('CVMFS_KEYS_DIR');
  const builtIn = builtInKeys(parameters);
  const tree = parameters.files;
  const keys = builtIn
    ? usableKeys(tree, directory)
    : keyFiles(tree, directory, named).map((file) => readKey(tree, file));
  if (keys.length > 0) return keys;
  if (builtIn) return builtIn;
  throw new ConfigError(
    'NO_KEY',
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
function usableKeys(tree: FileTree, directory: string): MasterKeyText[] {
  return keyFiles(tree, directory, false).flatMap((file) => {
    try {
      const key = readKey(tree, file);
      return key.pem.includes('-----BEGIN PUBLIC KEY-----') ? [key] : [];
    } catch (error) {
      if (error instanceof ConfigError) return [];
      throw error;
    }
  });
}

function keyFiles(tree: FileTree, directory: string, required: boolean): string[] {
  let failure: unknown;
  try {
    if (tree.kind(directory) === 'directory') {
      const names = tree.list(directory).filter((name) => name.endsWith('.pub'));
      const files = names.sort().map((name) => `${directory}/${name}`);
      tree.prefetch?.(files);
      return files;
    }
  } catch (error) {
    failure = systemError(error);
  }
  if (!required) return [];
  throw new ConfigError('KEY_FILE', `cannot read CVMFS_KEYS_DIR=${directory} (${codeOf(failure)})`, failure);
}

function readKey(tree: FileTree, file: string): MasterKeyText {
  let failure: unknown;
  try {
    const bytes = tree.read(file);
    if (bytes) return { pem: bytes.toString('latin1'), label: file };
  } catch (error) {
    failure = systemError(error);
  }
  const message = `cannot read the master key ${file} (${codeOf(failure)}): check CVMFS_PUBLIC_KEY`;
  throw new ConfigError('KEY_FILE', message, failure);
}

/** What is no error of the system is not ours to judge: a file may have to be fetched first. */
function systemError(error: unknown): unknown {
  if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
  return error;
}

function codeOf(failure: unknown): string {
  return (failure as NodeJS.ErrnoException | undefined)?.code ?? 'ENOENT';
}
