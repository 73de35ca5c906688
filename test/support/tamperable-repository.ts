// A small repository with one of everything that can be tampered with, and the paths on the server of each.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { objectPath } from '../../src/objects/object.ts';
import { commitManifest } from '../../src/publish/commit.ts';
import { ObjectFiles } from '../../src/publish/object-files.ts';
import { renewWhitelist } from '../../src/publish/whitelist-renewal.ts';
import { Catalog, type CatalogEntry, type Chunk } from '../../src/repository/catalog.ts';
import { type Manifest, parseManifest } from '../../src/repository/manifest.ts';
import { localObject } from '../repository/fixtures.ts';
import { pathHash } from '../repository/made-catalog.ts';
import { makeTestRepository, type TestRepository } from './repository.ts';
import { pseudoRandom } from './tree-sample.ts';

export const CHUNKED = pseudoRandom(200_000, 5);

/** Patterns of server paths. */
export interface ObjectPatterns {
  readonly certificate: RegExp;
  readonly rootCatalog: RegExp;
  readonly nestedCatalog: RegExp;
  /** Of the file `plain`. */
  readonly plain: RegExp;
  /** Of the third chunk of the file `chunked`. */
  readonly chunk: RegExp;
}

export interface Tamperable {
  readonly repository: TestRepository;
  readonly objects: ObjectPatterns;
  readonly chunks: readonly Chunk[];
  readonly manifest: Buffer;
  readonly whitelist: Buffer;
  /** Signed by the right key, but not valid any more. */
  readonly expiredWhitelist: Buffer;
}

/** Call `repository.remove` in the end. */
export async function makeTamperable(): Promise<Tamperable> {
  const repository = await makeTestRepository({
    fqrn: 'tamper.example.org',
    xattrs: new Map(),
    writeTree(directory) {
      writeFileSync(join(directory, 'plain'), 'plain content\n'.repeat(100));
      writeFileSync(join(directory, 'other'), 'other content\n');
      writeFileSync(join(directory, 'chunked'), CHUNKED);
      mkdirSync(join(directory, 'nested'));
      writeFileSync(join(directory, 'nested/.cvmfscatalog'), '');
      writeFileSync(join(directory, 'nested/file'), 'nested content\n');
    },
  });
  const manifest = readFileSync(join(repository.directory, '.cvmfspublished'));
  const whitelist = readFileSync(join(repository.directory, '.cvmfswhitelist'));
  const { rootHash, certificate } = parseManifest(manifest);
  const catalog = Catalog.open(localObject(objectsOf(repository.directory).read(rootHash, 'C')), rootHash);
  const chunks = catalog.chunks(entryOf(catalog, '/chunked'));
  return {
    repository,
    chunks,
    manifest,
    whitelist,
    expiredWhitelist: expiredWhitelist(repository),
    objects: {
      certificate: pattern(objectPath({ hash: certificate!, letter: 'X' })),
      rootCatalog: pattern(objectPath({ hash: rootHash, letter: 'C' })),
      nestedCatalog: pattern(objectPath({ hash: catalog.nested.get('/nested')!.hash, letter: 'C' })),
      plain: pattern(objectPath({ hash: entryOf(catalog, '/plain').hash!, letter: '' })),
      chunk: pattern(objectPath({ hash: chunks[2].hash, letter: 'P' })),
    },
  };
}

/**
 * Copies the repository to a server root of its own, changes its root catalog by SQL or its manifest, and signs that with
 * the right key: what it says is believed, but the objects do not fit it.
 */
export async function resign(
  { repository }: Tamperable,
  serverRoot: string,
  sql: string,
  change: (manifest: Manifest) => Partial<Manifest> = () => ({}),
): Promise<void> {
  const { fqrn, keysDirectory } = repository;
  const directory = join(serverRoot, fqrn);
  cpSync(repository.directory, directory, { recursive: true });
  const objects = objectsOf(directory);
  const manifest = parseManifest(readFileSync(join(directory, '.cvmfspublished')));
  const file = join(serverRoot, 'catalog');
  writeFileSync(file, objects.read(manifest.rootHash, 'C'));
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
  const bytes = readFileSync(file);
  rmSync(file);
  const next = { ...manifest, rootHash: await objects.store(bytes, 'C'), rootSize: bytes.length };
  await commitManifest({ objects, keysDirectory, manifest: { ...next, ...change(next) }, durable: false });
}

function expiredWhitelist({ base, fqrn, keysDirectory }: TestRepository): Buffer {
  const directory = join(base, 'expired');
  ObjectFiles.makeDirectories(directory);
  renewWhitelist({ directory, keysDirectory, fqrn, algorithm: 'sha1', validDays: -1 });
  return readFileSync(join(directory, '.cvmfswhitelist'));
}

function objectsOf(directory: string): ObjectFiles {
  return new ObjectFiles(directory, 'sha1');
}

function entryOf(catalog: Catalog, path: string): CatalogEntry {
  return catalog.row(catalog.lookup(pathHash(path)))!;
}

function pattern(path: string): RegExp {
  return new RegExp(`${path}$`);
}
