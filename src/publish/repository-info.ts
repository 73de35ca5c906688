// What a repository in a directory holds, for people. Needs no keys.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../repository/manifest.ts';
import { parseWhitelist } from '../repository/whitelist.ts';
import { PublishError, reason } from './errors.ts';
import { readTags, type Tag } from './history-file.ts';
import { ObjectFiles } from './object-files.ts';
import { withCatalog } from './previous-catalogs.ts';
import { readRepositoryManifest } from './repository.ts';
import { WHITELIST } from './whitelist-renewal.ts';

export interface RepositoryInfo {
  readonly name: string;
  readonly revision: number;
  /** ISO 8601. */
  readonly published: string;
  readonly rootCatalog: string;
  readonly hashAlgorithm: string;
  readonly garbageCollectable: boolean;
  /** Of the newest revision. */
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Bytes of all files, uncompressed. */
  readonly size: number;
  readonly catalogs: number;
  readonly tags: number;
  /** YYYYMMDDhhmmss, UTC. */
  readonly whitelistExpires: string;
}

/** @throws PublishError NOT_A_REPOSITORY, DAMAGED */
export function repositoryInfo(directory: string): RepositoryInfo {
  const manifest = readRepositoryManifest(directory);
  return withReader(directory, manifest, (objects) => describe(manifest, objects));
}

function describe(manifest: Manifest, objects: ObjectFiles): RepositoryInfo {
  const counters = withCatalog(objects, manifest.rootHash, (database) => {
    const rows = database.prepare('SELECT counter, value FROM statistics').all();
    const values = new Map(rows.map((row) => [String(row.counter), Number(row.value)]));
    return (name: string) => (values.get(`self_${name}`) ?? 0) + (values.get(`subtree_${name}`) ?? 0);
  });
  return {
    name: manifest.name,
    revision: manifest.revision,
    published: new Date(manifest.publishTime * 1000).toISOString(),
    rootCatalog: manifest.rootHash.toString(),
    hashAlgorithm: objects.algorithm,
    garbageCollectable: manifest.garbageCollectable,
    files: counters('regular'),
    // A nested catalog's directory counts above and below.
    directories: counters('dir') - counters('nested'),
    symlinks: counters('symlink'),
    size: counters('file_size'),
    catalogs: counters('nested') + 1,
    tags: readTags(objects, manifest.history).length,
    whitelistExpires: whitelistExpiry(objects.directory),
  };
}

/** Newest first. @throws PublishError NOT_A_REPOSITORY, DAMAGED */
export function listTags(directory: string): Tag[] {
  const manifest = readRepositoryManifest(directory);
  return withReader(directory, manifest, (objects) => readTags(objects, manifest.history));
}

function withReader<T>(directory: string, manifest: Manifest, use: (objects: ObjectFiles) => T): T {
  const scratch = mkdtempSync(join(tmpdir(), 'cvmfs-publish-'));
  try {
    return use(new ObjectFiles(directory, manifest.rootHash.algorithm, scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function whitelistExpiry(directory: string): string {
  const path = join(directory, WHITELIST);
  try {
    return parseWhitelist(readFileSync(path)).expires;
  } catch (error) {
    throw new PublishError('DAMAGED', `cannot read ${path}: ${reason(error)}`, error);
  }
}
