// A repository in a directory, as its publisher sees it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HashAlgorithm } from '../objects/hash.ts';
import { isSignedByRepositoryKey, parseLetter } from '../repository/letter.ts';
import { type Manifest, parseManifest } from '../repository/manifest.ts';
import { PublishError, reason } from './errors.ts';
import { loadCertificate } from './keys.ts';
import { ObjectFiles } from './object-files.ts';

export const MANIFEST = '.cvmfspublished';

export interface RepositoryLocation {
  /** The directory that a web server shows as /cvmfs/<fqrn>. */
  readonly directory: string;
  /** Where the repository's keys are, see keys.ts. */
  readonly keysDirectory: string;
}

export interface Repository extends RepositoryLocation {
  readonly fqrn: string;
  readonly algorithm: HashAlgorithm;
  /** Of the newest revision. */
  readonly manifest: Manifest;
}

/** Reads a repository's manifest without asking who signed it. @throws PublishError NOT_A_REPOSITORY */
export function readRepositoryManifest(directory: string): Manifest {
  return readLetter(directory).manifest;
}

/**
 * Opens a repository for publishing, whose newest manifest must be signed by the key in the keys directory.
 * @throws PublishError NOT_A_REPOSITORY, KEY
 */
export function openRepository({ directory, keysDirectory }: RepositoryLocation): Repository {
  const { letter, manifest } = readLetter(directory);
  const fqrn = manifest.name;
  if (!isSignedByRepositoryKey(letter, loadCertificate(keysDirectory, fqrn).publicKey)) {
    const hint = 'are these the keys of this repository?';
    throw new PublishError(
      'KEY',
      `the manifest in ${directory} was not signed with the key in ${keysDirectory}: ${hint}`,
    );
  }
  return { directory, keysDirectory, fqrn, algorithm: manifest.rootHash.algorithm, manifest };
}

export function objectsOf(repository: Repository): ObjectFiles {
  return new ObjectFiles(repository.directory, repository.algorithm);
}

function readLetter(directory: string) {
  try {
    const data = readFileSync(join(directory, MANIFEST));
    return { letter: parseLetter(data), manifest: parseManifest(data) };
  } catch (error) {
    const hint = 'make a repository with "cvmfs-publish create"';
    throw new PublishError(
      'NOT_A_REPOSITORY',
      `there is no repository in ${directory}: ${reason(error)}; ${hint}`,
      error,
    );
  }
}
