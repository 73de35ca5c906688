// Master keys: RSA public keys in PEM that sign whitelists. They come from outside the repository.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { RepositoryError, reasonOf } from './errors.ts';

/** @throws RepositoryError BadKey */
export function parseMasterKey(pem: string | Buffer, label: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new RepositoryError('BadKey', `the master key ${label} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  if (key.asymmetricKeyType !== 'rsa') throw new RepositoryError('BadKey', `the master key ${label} is not an RSA key`);
  return key;
}

/** @throws RepositoryError BadKey, also when a file cannot be read (client.md §1.5) */
export function readMasterKeys(files: readonly string[]): KeyObject[] {
  return files.map((file) => {
    let pem: Buffer;
    try {
      pem = readFileSync(file);
    } catch (cause) {
      throw new RepositoryError('BadKey', `the master key ${file} cannot be read: ${reasonOf(cause)}`, { cause });
    }
    return parseMasterKey(pem, file);
  });
}

/** The files of a directory that are master keys, `*.pub`, by name. None if there is no such directory. */
export function masterKeyFiles(directory: string): string[] {
  let names: string[] = [];
  try {
    names = readdirSync(directory);
  } catch {
    // the whitelist's verification says that there is no key
  }
  return names
    .filter((name) => name.endsWith('.pub'))
    .sort()
    .map((name) => `${directory}/${name}`);
}
