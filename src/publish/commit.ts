// The last steps of everything that makes a new manifest: certificate, reflog, and the signed manifest itself, whose
// rename is the moment from which clients see the change.

import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ContentHash } from '../objects/hash.ts';
import { objectPath } from '../objects/object.ts';
import { signWithRepositoryKey } from '../repository/letter.ts';
import { encodeManifest, type Manifest } from '../repository/manifest.ts';
import { loadCertificate, loadRepositoryKey } from './keys.ts';
import { type ObjectFiles, writeAtomically } from './object-files.ts';
import { updateReflog } from './reflog.ts';
import { MANIFEST } from './repository.ts';

/** Other programs' data on the same file system are written along. */
const FLUSH_MILLISECONDS = 600_000;

export interface Commit {
  readonly objects: ObjectFiles;
  readonly keysDirectory: string;
  /** All but the certificate and the reflog, which are added here. */
  readonly manifest: Omit<Manifest, 'certificate' | 'reflog'>;
  /** Whether all objects have to be on the disk before the manifest is. */
  readonly durable: boolean;
}

/** Makes the manifest the newest one. Everything it names but the certificate is stored already. */
export async function commitManifest({ objects, keysDirectory, manifest, durable }: Commit): Promise<Manifest> {
  const { directory } = objects;
  const key = loadRepositoryKey(keysDirectory, manifest.name);
  const certificate = await objects.store(loadCertificate(keysDirectory, manifest.name).pem, 'X');
  const { rootHash: catalog, history, metainfo } = manifest;
  if (manifest.alternativePath) copyToAlternativePath(objects, catalog, certificate);
  const reflog = updateReflog(
    objects,
    manifest.name,
    { catalog, certificate, history, metainfo },
    manifest.publishTime,
  );
  const complete = { ...manifest, certificate, reflog };
  if (durable) flush(directory);
  const letter = signWithRepositoryKey(encodeManifest(complete), objects.algorithm, key);
  writeAtomically(directory, join(directory, MANIFEST), letter);
  removeOldAlternatives(directory, complete);
  return complete;
}

/** Makes a power failure as harmless as a kill. Where sync(1) cannot do it, the system's own habits must be enough. */
function flush(directory: string): void {
  spawnSync('sync', ['-f', directory], { stdio: 'ignore', timeout: FLUSH_MILLISECONDS });
}

function copyToAlternativePath(objects: ObjectFiles, catalog: ContentHash, certificate: ContentHash): void {
  const objectsToCopy = [
    { hash: catalog, letter: 'C' },
    { hash: certificate, letter: 'X' },
  ] as const;
  for (const object of objectsToCopy) {
    const temporary = objects.temporary();
    copyFileSync(join(objects.directory, objectPath(object)), temporary);
    renameSync(temporary, join(objects.directory, objectPath({ ...object, alternativePath: true })));
  }
}

function removeOldAlternatives(directory: string, manifest: Manifest): void {
  const current = new Set(manifest.alternativePath ? [`${manifest.rootHash}C`, `${manifest.certificate}X`] : []);
  for (const name of readdirSync(directory)) {
    if (name.startsWith('.cvmfsalt-') && !current.has(name.slice('.cvmfsalt-'.length))) rmSync(join(directory, name));
  }
}
