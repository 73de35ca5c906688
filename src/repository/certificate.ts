// The certificate of a repository: one X.509 certificate in PEM whose key signs the manifest. Neither its dates nor its
// issuer count, only its fingerprint, which the whitelist lists. Ours are like the reference's: version 1 (no
// extensions), self-signed, sha256WithRSAEncryption, `CN=<fqrn> CernVM-FS Release Managers`.
import { createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import type { ContentHash, HashAlgorithm } from '../objects/hash.ts';
import { bitString, integer, name, nullValue, objectId, sequence, utcTime } from './der.ts';
import { digestOf } from './digest.ts';
import { RepositoryError, reasonOf } from './errors.ts';

export interface Certificate {
  /** An RSA key. */
  readonly publicKey: KeyObject;
  readonly der: Buffer;
}

/**
 * Reads the content of a certificate object (client.md §1.3).
 * @throws RepositoryError BadCertificate
 */
export function parseCertificate(pem: Uint8Array): Certificate {
  let publicKey: KeyObject;
  let der: Buffer;
  try {
    const certificate = new X509Certificate(pem);
    publicKey = certificate.publicKey;
    der = certificate.raw;
  } catch (cause) {
    throw new RepositoryError('BadCertificate', `the certificate cannot be read: ${reasonOf(cause)}`, { cause });
  }
  if (publicKey.asymmetricKeyType !== 'rsa') {
    throw new RepositoryError('BadCertificate', 'the certificate does not hold an RSA key');
  }
  return { publicKey, der };
}

/** What the whitelist lists: a hash over the DER encoding, with any algorithm. */
export function fingerprint(certificate: Certificate, algorithm: HashAlgorithm): ContentHash {
  return digestOf(algorithm, certificate.der);
}

export interface CertificateOptions {
  /** Fully qualified repository name. */
  fqrn: string;
  /** RSA private key of the repository. */
  privateKey: KeyObject;
  /** Default: now. */
  notBefore?: Date;
  /** Default: a year after `notBefore`. Clients do not check it. */
  notAfter?: Date;
}

const COMMON_NAME = '2.5.4.3';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';

/** A self-signed certificate in PEM, ending in a newline (client.md §14.15). */
export function makeCertificate(options: CertificateOptions): string {
  const notBefore = options.notBefore ?? new Date();
  const notAfter = options.notAfter ?? new Date(notBefore.getTime() + 365 * 86_400_000);
  const subject = name(COMMON_NAME, `${options.fqrn} CernVM-FS Release Managers`);
  const algorithm = sequence(objectId(SHA256_WITH_RSA), nullValue());
  const serial = randomBytes(16);
  serial[0]! &= 0x7f;
  serial[0]! |= 0x40; // positive, and no leading zero byte
  const body = sequence(
    integer(serial),
    algorithm,
    subject,
    sequence(utcTime(notBefore), utcTime(notAfter)),
    subject,
    createPublicKey(options.privateKey).export({ type: 'spki', format: 'der' }),
  );
  const der = sequence(body, algorithm, bitString(sign('sha256', body, options.privateKey)));
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
