// The chain of trust from a master key to a root catalog:
//
//   master key → whitelist → certificate's fingerprint → certificate → manifest → hash of the root catalog
//
// Manifest and whitelist are fetched at once, then the certificate and what the manifest points to. What is content-
// addressed may come early; nothing is given out before the whole chain holds.
import type { KeyObject } from 'node:crypto';
import type { ContentHash } from '../objects/hash.ts';
import type { ObjectRequest } from '../objects/object.ts';
import { type Blacklist, isCertificateBlacklisted } from './blacklist.ts';
import { type Certificate, fingerprint, parseCertificate } from './certificate.ts';
import { dateText, printable, RepositoryError, reasonOf } from './errors.ts';
import { isSignedByRepositoryKey, type Letter, parseLetter } from './letter.ts';
import { type Manifest, parseManifest, ROOT_PATH_MD5 } from './manifest.ts';
import { type ObjectReader, type RepositorySource, readObject } from './source.ts';
import type { Evidence } from './verified-record.ts';
import type { Whitelist } from './whitelist.ts';
import { verifyWhitelist } from './whitelist-verification.ts';

export interface VerificationOptions {
  readonly fqrn: string;
  readonly masterKeys: readonly KeyObject[];
  readonly blacklist?: Blacklist;
  /** Seconds since 1970; an older manifest is refused. Default 0. */
  readonly minTimestamp?: number;
  /**
   * A root catalog that was verified before, and the revision it came with: a manifest that names both brings nothing new
   * and needs no further checks.
   */
  readonly known?: { readonly rootHash: ContentHash; readonly revision: number };
  /** What to fetch along with the certificate. Default: the root catalog. */
  readonly alongside?: (manifest: Manifest) => ObjectRequest | undefined;
  readonly now?: () => Date;
}

export interface VerifiedManifest {
  readonly manifest: Manifest;
  /** Names what is `known`; its other fields were not verified and must not be used. */
  readonly unchanged: boolean;
  /** What proved it; undefined with `unchanged`. */
  readonly evidence?: Evidence;
}

/** Bytes; real ones have less than 2000. */
const MAX_LETTER = 1 << 20;
const MAX_CERTIFICATE = 1 << 20;

/**
 * Fetches the manifest and verifies it (client.md §1.7). When what a server delivers does not verify, the next server is
 * tried once.
 * @throws RepositoryError Load, Incomplete, NameMismatch, RootMismatch, Outdated, BadCertificate, BadSignature,
 *   BadWhitelist, InvalidCertificate, Blacklisted, NoAlgorithm
 */
export async function fetchManifest(
  source: RepositorySource,
  objects: ObjectReader,
  options: VerificationOptions,
): Promise<VerifiedManifest> {
  try {
    return await attempt(source, objects, options);
  } catch (error) {
    if (!(error instanceof RepositoryError) || !mayDifferElsewhere(error) || !source.switchServer?.()) throw error;
    return attempt(source, objects, options);
  }
}

/** Downloading fails over by itself; the certificate is wrong everywhere. */
function mayDifferElsewhere({ code }: RepositoryError): boolean {
  return code !== 'Load' && code !== 'InvalidCertificate' && code !== 'Blacklisted' && code !== 'NoAlgorithm';
}

async function attempt(
  source: RepositorySource,
  objects: ObjectReader,
  options: VerificationOptions,
): Promise<VerifiedManifest> {
  const loadWhitelist = () => quietly(source.file('/.cvmfswhitelist', MAX_LETTER));
  // What is known is most often what is served, and then no whitelist is needed.
  const early = options.known ? undefined : loadWhitelist();
  const data = await load(options.fqrn, source.file('/.cvmfspublished', MAX_LETTER));
  const manifest = checkManifest(data, options);
  if (isKnown(manifest, options)) return { manifest, unchanged: true };
  const whitelistData = early ?? loadWhitelist();
  const certificateData = quietly(loadCertificate(objects, manifest));
  const companion = (options.alongside ?? rootCatalogRequest)(manifest);
  if (companion && !isLocal(objects, companion)) void quietly(objects.fetch(companion));

  const pem = await certificateData;
  const certificate = parseCertificate(pem);
  checkSignature(data, certificate);
  const letter = await loadedWhitelist(whitelistData);
  checkCertificate(certificate, verifyWhitelist(letter, options), options);
  return { manifest, unchanged: false, evidence: { manifest: data, whitelist: letter, certificate: pem } };
}

/** The reference compares the hash only, and then believes a revision that nobody signed. */
function isKnown({ rootHash, revision }: Manifest, { known }: VerificationOptions): boolean {
  return rootHash.equals(known?.rootHash) && known?.revision === revision;
}

/** What to ask for to get a manifest's root catalog (client.md §1.10). */
export function rootCatalogRequest(manifest: Manifest): ObjectRequest {
  const { rootHash: hash, rootSize: size, alternativePath } = manifest;
  const known = size > 0 ? { size } : {};
  return { hash, letter: 'C', compression: 'zlib', label: 'root file catalog', alternativePath, ...known };
}

function checkManifest(data: Buffer, options: VerificationOptions): Manifest {
  const { fqrn, minTimestamp = 0 } = options;
  const manifest = parseManifest(data);
  if (manifest.name !== fqrn) {
    const message = `the server's manifest is of the repository '${printable(manifest.name)}', not ${fqrn}: check CVMFS_SERVER_URL`;
    throw new RepositoryError('NameMismatch', message);
  }
  if (manifest.rootPathMd5 !== ROOT_PATH_MD5) {
    throw new RepositoryError('RootMismatch', `the manifest of ${fqrn} is of a subtree, which cannot be mounted`);
  }
  if (manifest.publishTime < minTimestamp) {
    const [served, known] = [manifest.publishTime, minTimestamp].map(dateText);
    const message = `the manifest of ${fqrn} is from ${served}, one from ${known} was seen before: the server is behind`;
    throw new RepositoryError('Outdated', message);
  }
  return manifest;
}

async function loadCertificate(
  objects: ObjectReader,
  { certificate: hash, alternativePath }: Manifest,
): Promise<Buffer> {
  if (!hash) throw new RepositoryError('BadCertificate', 'the manifest names no certificate');
  const request: ObjectRequest = { hash, letter: 'X', compression: 'zlib', label: 'certificate', alternativePath };
  try {
    return await readObject(objects, request, MAX_CERTIFICATE);
  } catch (cause) {
    throw new RepositoryError('BadCertificate', `the certificate cannot be loaded: ${reasonOf(cause)}`, { cause });
  }
}

function checkSignature(data: Buffer, certificate: Certificate): void {
  let letter: Letter;
  try {
    letter = parseLetter(data);
  } catch (cause) {
    if (cause instanceof RepositoryError && cause.code === 'NoAlgorithm') throw cause;
    throw new RepositoryError(
      'BadSignature',
      `the manifest is damaged: ${reasonOf(cause)} (check CVMFS_SERVER_URL and the proxies, or try another server)`,
      { cause },
    );
  }
  if (!isSignedByRepositoryKey(letter, certificate.publicKey)) {
    throw new RepositoryError(
      'BadSignature',
      'the signature of the manifest was not made with the key of its certificate: do not trust this server, use another one',
    );
  }
}

function checkCertificate(certificate: Certificate, whitelist: Whitelist, options: VerificationOptions): void {
  const { fqrn, blacklist } = options;
  if (blacklist && isCertificateBlacklisted(blacklist, certificate)) {
    throw new RepositoryError('Blacklisted', `the certificate of ${fqrn} is blacklisted: its key must not be trusted`);
  }
  if (!whitelist.fingerprints.some((listed) => fingerprint(certificate, listed.algorithm).equals(listed))) {
    const message = `the certificate that signed the manifest of ${fqrn} is not listed in the repository's whitelist: do not trust this server, or tell the repository's owner`;
    throw new RepositoryError('InvalidCertificate', message);
  }
}

async function load(fqrn: string, file: Promise<Buffer>): Promise<Buffer> {
  try {
    return await file;
  } catch (cause) {
    throw new RepositoryError('Load', `cannot load the manifest of ${fqrn}: ${reasonOf(cause)}`, { cause });
  }
}

async function loadedWhitelist(file: Promise<Buffer>): Promise<Buffer> {
  try {
    return await file;
  } catch (cause) {
    const message = `the whitelist cannot be loaded: ${reasonOf(cause)}`;
    throw new RepositoryError('BadWhitelist', message, { cause, reason: 'load' });
  }
}

function isLocal(objects: ObjectReader, request: ObjectRequest): boolean {
  const object = objects.open(request.hash, request.size);
  object?.close();
  return object !== undefined;
}

/** The same promise; its rejection is no accident before somebody awaits it. */
function quietly<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
