// The envelope of manifest and whitelist:
//
//   <body lines, each ended by a newline>
//   --
//   <hash string of the body, with its last newline>
//   <binary signature over the hash string's characters, up to the end>
//
// The manifest is signed as RSASSA-PKCS1-v1_5 with SHA-1, whatever the algorithm of the hash string; the whitelist by
// the bare RSA private-key operation with type 1 padding, without a digest.
import { constants, createSign, createVerify, type KeyObject, privateEncrypt, publicDecrypt } from 'node:crypto';
import { ContentHash, type HashAlgorithm } from '../objects/hash.ts';
import { digestOf } from './digest.ts';
import { RepositoryError } from './errors.ts';

export interface Letter {
  /** The signed text up to and including its last newline. */
  readonly body: Buffer;
  /** Hash string of `body`; this text is what the signature signs. */
  readonly hash: ContentHash;
  readonly signature: Buffer;
}

const SEPARATOR = Buffer.from('\n--\n');
const NEWLINE = 10;

/**
 * Takes a letter apart and checks that the body has the hash it names; the signature is not looked at (client.md §1.2.1).
 * @throws RepositoryError BadLetter, NoAlgorithm
 */
export function parseLetter(data: Uint8Array): Letter {
  const bytes = asBuffer(data);
  const separator = bytes.indexOf(SEPARATOR);
  if (separator < 0) throw new RepositoryError('BadLetter', 'there is no signature below the text');
  const hashStart = separator + SEPARATOR.length;
  const hashEnd = bytes.indexOf(NEWLINE, hashStart);
  if (hashEnd < 0) throw new RepositoryError('BadLetter', 'the signature is cut off');
  const body = bytes.subarray(0, separator + 1);
  const hash = ContentHash.parse(bytes.toString('latin1', hashStart, hashEnd));
  if (!hash) throw new RepositoryError('BadLetter', 'the line below "--" is not a hash');
  if (!digestOf(hash.algorithm, body).equals(hash)) {
    throw new RepositoryError('BadLetter', `the text does not have the hash ${hash} it is signed under`);
  }
  return { body, hash, signature: bytes.subarray(hashEnd + 1) };
}

/** Whether the repository key (that of the certificate) made the signature, as a manifest has it. */
export function isSignedByRepositoryKey(letter: Letter, key: KeyObject): boolean {
  if (key.asymmetricKeyType !== 'rsa') return false;
  try {
    return createVerify('RSA-SHA1').update(letter.hash.toString()).verify(key, letter.signature);
  } catch {
    return false;
  }
}

/** Whether one of the master keys made the signature, as a whitelist has it. Keys that cannot fit are skipped. */
export function isSignedByMasterKey(letter: Letter, keys: readonly KeyObject[]): boolean {
  const expected = Buffer.from(letter.hash.toString());
  return keys.some((key) => {
    try {
      return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, letter.signature).equals(expected);
    } catch {
      return false;
    }
  });
}

/** A manifest's letter around `body`, which ends in a newline. */
export function signWithRepositoryKey(body: Uint8Array, algorithm: HashAlgorithm, privateKey: KeyObject): Buffer {
  return seal(body, algorithm, (text) => createSign('RSA-SHA1').update(text).sign(privateKey));
}

/** A whitelist's letter around `body`, which ends in a newline. */
export function signWithMasterKey(body: Uint8Array, algorithm: HashAlgorithm, privateKey: KeyObject): Buffer {
  return seal(body, algorithm, (text) =>
    privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text)),
  );
}

function seal(body: Uint8Array, algorithm: HashAlgorithm, sign: (text: string) => Buffer): Buffer {
  const hash = digestOf(algorithm, body).toString();
  return Buffer.concat([body, Buffer.from(`--\n${hash}\n`), sign(hash)]);
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
