// The keys of a repository, in files named like those of the reference: `<fqrn>.masterkey` and `<fqrn>.pub` sign the
// whitelist (clients need the .pub), `<fqrn>.key` and its certificate `<fqrn>.crt` sign the manifest.
import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Certificate, makeCertificate, parseCertificate } from '../repository/certificate.ts';
import { PublishError, reason } from './errors.ts';

const generate = promisify(generateKeyPair);
const MODULUS_BITS = 2048;

export interface KeyFiles {
  readonly masterKey: string;
  readonly publicKey: string;
  readonly repositoryKey: string;
  readonly certificate: string;
}

export function keyFiles(directory: string, fqrn: string): KeyFiles {
  const path = (extension: string) => join(directory, `${fqrn}.${extension}`);
  return {
    masterKey: path('masterkey'),
    publicKey: path('pub'),
    repositoryKey: path('key'),
    certificate: path('crt'),
  };
}

/**
 * Makes all four files; private keys are readable for their owner only.
 * @throws PublishError EXISTS when one of them is there already
 */
export async function makeKeys(directory: string, fqrn: string): Promise<KeyFiles> {
  const files = keyFiles(directory, fqrn);
  const existing = Object.values(files).find((path) => existsSync(path));
  if (existing !== undefined) throw new PublishError('EXISTS', `cannot make keys: ${existing} exists already`);
  const [master, repository] = await Promise.all([
    generate('rsa', { modulusLength: MODULUS_BITS }),
    generate('rsa', { modulusLength: MODULUS_BITS }),
  ]);
  const certificate = makeCertificate({ fqrn, privateKey: repository.privateKey });
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const write = (path: string, text: string | Buffer, mode: number) =>
      writeFileSync(path, text, { mode, flag: 'wx' });
    write(files.masterKey, master.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    write(files.publicKey, master.publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
    write(files.repositoryKey, repository.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    write(files.certificate, certificate, 0o644);
  } catch (error) {
    throw new PublishError('IO', `cannot write the keys to ${directory}: ${reason(error)}`, error);
  }
  return files;
}

export function hasKeys(directory: string, fqrn: string): boolean {
  return Object.values(keyFiles(directory, fqrn)).every((path) => existsSync(path));
}

/** @throws PublishError KEY */
export function loadMasterKey(directory: string, fqrn: string): KeyObject {
  return loadPrivateKey(keyFiles(directory, fqrn).masterKey);
}

/** @throws PublishError KEY */
export function loadRepositoryKey(directory: string, fqrn: string): KeyObject {
  return loadPrivateKey(keyFiles(directory, fqrn).repositoryKey);
}

/** The certificate, and its file as it is stored. @throws PublishError KEY */
export function loadCertificate(directory: string, fqrn: string): Certificate & { readonly pem: Buffer } {
  const path = keyFiles(directory, fqrn).certificate;
  try {
    const pem = readFileSync(path);
    return { ...parseCertificate(pem), pem };
  } catch (error) {
    throw new PublishError('KEY', `cannot use the certificate ${path}: ${reason(error)}`, error);
  }
}

function loadPrivateKey(path: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(path));
    if (key.asymmetricKeyType !== 'rsa') throw new Error('it is not an RSA key');
    return key;
  } catch (error) {
    throw new PublishError('KEY', `cannot use the private key ${path}: ${reason(error)}`, error);
  }
}
