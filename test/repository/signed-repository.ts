// A repository that a test makes and signs itself, to change one thing about it.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { ContentHash, type HashAlgorithm } from '../../src/objects/hash.ts';
import { type ObjectLetter, objectPath } from '../../src/objects/object.ts';
import { fingerprint, makeCertificate, parseCertificate } from '../../src/repository/certificate.ts';
import { signWithMasterKey, signWithRepositoryKey } from '../../src/repository/letter.ts';
import { encodeManifest, type Manifest, ROOT_PATH_MD5 } from '../../src/repository/manifest.ts';
import { encodeWhitelist, type Whitelist } from '../../src/repository/whitelist.ts';
import { TestRepository } from './fixtures.ts';

export const FQRN = 'test.example.org';

const pair = () => generateKeyPairSync('rsa', { modulusLength: 1024 });
export const master = pair();
export const signer = pair();
export const stranger = pair();
export const CERTIFICATE = certificateOf(signer.privateKey);

export function certificateOf(privateKey: KeyObject): Buffer {
  return Buffer.from(makeCertificate({ fqrn: FQRN, privateKey }));
}

export interface RepositoryChanges {
  readonly algorithm?: HashAlgorithm;
  readonly manifest?: Partial<Manifest>;
  readonly whitelist?: Partial<Whitelist>;
  /** Content of the certificate object. */
  readonly certificate?: Buffer;
  readonly signingKey?: KeyObject;
  readonly masterKey?: KeyObject;
}

/** Everything is right about it but what `changes` says. It is not on disk: `replaced` holds all of it. */
export function signedRepository(changes: RepositoryChanges = {}): TestRepository {
  const { algorithm = 'sha1', certificate = CERTIFICATE } = changes;
  const repository = new TestRepository('/nonexistent');
  const alternativePath = changes.manifest?.alternativePath ?? false;
  const store = (content: Buffer, letter: ObjectLetter): ContentHash => {
    const stored = deflateSync(content);
    const hash = ContentHash.of(algorithm, stored);
    repository.replaced.set(objectPath({ hash, letter, alternativePath }), stored);
    return hash;
  };
  const manifest: Manifest = {
    rootHash: store(Buffer.from('root catalog'), 'C'),
    rootSize: 12,
    rootPathMd5: ROOT_PATH_MD5,
    ttl: 240,
    revision: 6,
    garbageCollectable: false,
    alternativePath,
    name: FQRN,
    certificate: store(certificate, 'X'),
    publishTime: 1_000_000,
    ...changes.manifest,
  };
  const whitelist: Whitelist = {
    issued: '20260101000000',
    expires: '20460101000000',
    name: FQRN,
    pkcs7: false,
    caChain: false,
    fingerprints: [fingerprint(parseCertificate(CERTIFICATE), algorithm)],
    ...changes.whitelist,
  };
  const signedManifest = signWithRepositoryKey(
    encodeManifest(manifest),
    algorithm,
    changes.signingKey ?? signer.privateKey,
  );
  const signedWhitelist = signWithMasterKey(
    encodeWhitelist(whitelist),
    algorithm,
    changes.masterKey ?? master.privateKey,
  );
  repository.replaced.set('/.cvmfspublished', signedManifest);
  repository.replaced.set('/.cvmfswhitelist', signedWhitelist);
  return repository;
}

/** Changes one file of a repository byte by byte. */
export function alter(repository: TestRepository, path: string, change: (content: Buffer) => Buffer | undefined): void {
  repository.replaced.set(path, change(Buffer.from(repository.read(path))));
}

/** Flips a bit of the last byte. */
export const damageEnd = (path: string) => (repository: TestRepository) =>
  alter(repository, path, (content) => {
    content[content.length - 1]! ^= 1;
    return content;
  });

/** Makes the file missing. */
export const remove = (path: string) => (repository: TestRepository) => alter(repository, path, () => undefined);
