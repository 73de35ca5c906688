// A new repository: revision 0, whose tree is an empty directory.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { HashAlgorithm } from '../objects/hash.ts';
import { ROOT_PATH_MD5 } from '../repository/manifest.ts';
import { commitManifest } from './commit.ts';
import { PublishError, reason } from './errors.ts';
import { storeFirstCatalog } from './first-catalog.ts';
import { advanceTags, storeHistory } from './history-file.ts';
import { hasKeys, makeKeys } from './keys.ts';
import { ObjectFiles, writeAtomically } from './object-files.ts';
import { withPublisherLock } from './publisher-lock.ts';
import { MANIFEST, type Repository, type RepositoryLocation } from './repository.ts';
import { checkSettings, DEFAULT_SETTINGS, type PublishSettings, writeSettings } from './settings.ts';
import { renewWhitelist } from './whitelist-renewal.ts';

export interface CreateOptions extends RepositoryLocation, Partial<PublishSettings> {
  /** Fully qualified repository name, such as 'software.example.org'. */
  readonly fqrn: string;
  /** Of all content hashes. Default: sha1. */
  readonly hash?: HashAlgorithm;
  /** Seconds for which clients keep a revision before they ask for the next one. Default: 240. */
  readonly ttl?: number;
  /** Whether old revisions may be deleted. Default: false. */
  readonly garbageCollectable?: boolean;
  /** Root catalog and certificate also as `.cvmfsalt-…`, for servers that protect data/. Default: false. */
  readonly alternativePath?: boolean;
  /** JSON object that tells people about the repository (client.md §1.9). */
  readonly metainfo?: Readonly<Record<string, unknown>>;
  /** Validity of the whitelist in days. Default: 30. */
  readonly validDays?: number;
  /** Default: true, see Commit. */
  readonly durable?: boolean;
}

/**
 * Makes and signs a repository in a directory, and its keys unless they exist.
 * @throws PublishError EXISTS, OPTION, KEY, IO
 */
export async function createRepository(options: CreateOptions): Promise<Repository> {
  const { directory, keysDirectory, fqrn, hash = 'sha1', ttl = 240, metainfo } = options;
  checkCreateOptions(options);
  const settings = checkSettings({
    compression: options.compression ?? DEFAULT_SETTINGS.compression,
    chunkSizes: options.chunkSizes ?? DEFAULT_SETTINGS.chunkSizes,
    catalogPaths: options.catalogPaths ?? DEFAULT_SETTINGS.catalogPaths,
    snapshots: options.snapshots ?? DEFAULT_SETTINGS.snapshots,
  });
  if (existsSync(join(directory, MANIFEST))) {
    throw new PublishError('EXISTS', `cannot make a repository in ${directory}: there is one already`);
  }
  if (!hasKeys(keysDirectory, fqrn)) await makeKeys(keysDirectory, fqrn);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    ObjectFiles.makeDirectories(directory);
  } catch (error) {
    throw new PublishError('IO', `cannot make a repository in ${directory}: ${reason(error)}`, error);
  }
  return withPublisherLock(directory, async () => {
    const objects = new ObjectFiles(directory, hash);
    const now = Math.floor(Date.now() / 1000);
    const root = await storeFirstCatalog(objects, now);
    const head = { ...root, revision: 0, timestamp: now };
    writeSettings(directory, settings);
    writeAtomically(
      directory,
      join(directory, '.cvmfs_master_replica'),
      Buffer.from('This is a replica of the master.\n'),
    );
    renewWhitelist({ directory, keysDirectory, fqrn, algorithm: hash, validDays: options.validDays });
    const manifest = await commitManifest({
      objects,
      keysDirectory,
      durable: options.durable ?? true,
      manifest: {
        rootHash: root.hash,
        rootSize: root.size,
        rootPathMd5: ROOT_PATH_MD5,
        ttl,
        revision: 0,
        garbageCollectable: options.garbageCollectable ?? false,
        alternativePath: options.alternativePath ?? false,
        name: fqrn,
        history: await storeHistory(objects, fqrn, advanceTags([], head), undefined),
        publishTime: now,
        metainfo: metainfo && (await objects.store(Buffer.from(`${JSON.stringify(metainfo, null, 2)}\n`), 'M')),
      },
    });
    return { directory, keysDirectory, fqrn, algorithm: hash, manifest };
  });
}

function checkCreateOptions({ fqrn, hash = 'sha1', ttl = 240 }: CreateOptions): void {
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/i.test(fqrn) || fqrn.length > 60) {
    const hint = 'take names like software.example.org, at most 60 letters, digits, - and _';
    throw new PublishError('OPTION', `${fqrn} is not a repository name: ${hint}`);
  }
  if (!['sha1', 'rmd160', 'shake128'].includes(hash)) {
    throw new PublishError('OPTION', `unknown hash algorithm ${hash}: take sha1, rmd160 or shake128`);
  }
  if (!Number.isSafeInteger(ttl) || ttl < 1) {
    throw new PublishError('OPTION', `the time to live ${ttl} is not a number of seconds above 0`);
  }
}
