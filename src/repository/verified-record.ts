// What was verified last of a repository, kept in the cache: `cvmfsverified.<fqrn>`, so that the jobs of a node that start
// within the time to live ask no server. It is no proof of anything: whoever reads it verifies manifest, certificate and
// whitelist again. Only the time of the server's last word is taken from it, and that for no longer than the TTL.
//
// JSON: version, verified and ttl in seconds, the three files in base64.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { LocalObject, ObjectRequest } from '../objects/object.ts';
import { replaceFile } from './breadcrumb.ts';
import type { ObjectReader, RepositorySource } from './source.ts';

/** The files that prove a manifest, as the servers deliver them. */
export interface Evidence {
  readonly manifest: Buffer;
  readonly whitelist: Buffer;
  /** Content of the certificate object. */
  readonly certificate: Buffer;
}

export interface VerifiedRecord extends Evidence {
  /** When a server last delivered or confirmed the manifest. Seconds since 1970. */
  readonly verified: number;
  /** Time to live of the root catalog, seconds. */
  readonly ttl: number;
}

const VERSION = 1;
/** Bytes; real ones have less than 10,000. */
const MAX_BYTES = 1 << 20;

/** undefined where there is none, or none of our own that nobody else can write. */
export function readVerifiedRecord(directory: string, fqrn: string): VerifiedRecord | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(fileName(directory, fqrn), 'r');
    const { uid, mode, size } = fstatSync(descriptor);
    if (uid !== process.geteuid?.() || (mode & 0o022) !== 0 || size > MAX_BYTES) return undefined;
    const content = Buffer.alloc(size);
    return parseVerifiedRecord(content.toString('latin1', 0, readSync(descriptor, content, 0, size, 0)));
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Replaces the file at once, mode 0600. Throws the error of the system call. */
export function writeVerifiedRecord(directory: string, fqrn: string, record: VerifiedRecord): void {
  replaceFile(fileName(directory, fqrn), encodeVerifiedRecord(record));
}

export function encodeVerifiedRecord({ verified, ttl, ...evidence }: VerifiedRecord): string {
  const { manifest, whitelist, certificate } = evidence;
  const files = { manifest, whitelist, certificate };
  const texts = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, content.toString('base64')]));
  return JSON.stringify({ version: VERSION, verified, ttl, ...texts });
}

/** undefined for a text that is none. */
export function parseVerifiedRecord(text: string): VerifiedRecord | undefined {
  let parsed: Record<string, unknown>;
  try {
    parsed = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  const { version, verified, ttl, manifest, whitelist, certificate } = parsed;
  if (version !== VERSION || !Number.isSafeInteger(verified) || !Number.isSafeInteger(ttl)) return undefined;
  if (typeof manifest !== 'string' || typeof whitelist !== 'string' || typeof certificate !== 'string')
    return undefined;
  const [m, w, c] = [manifest, whitelist, certificate].map((content) => Buffer.from(content, 'base64'));
  return { verified: verified as number, ttl: ttl as number, manifest: m, whitelist: w, certificate: c };
}

/** A server's word from then still counts. A clock that was set back makes it void. */
export function isFresh({ verified, ttl }: VerifiedRecord, now: Date, maxTtl = Infinity): boolean {
  const age = now.getTime() / 1000 - verified;
  return age >= -1 && age < Math.min(ttl, maxTtl);
}

/** A server that delivers what is in the record. It has no other objects than the certificate. */
export function recordSource(record: VerifiedRecord): RepositorySource & ObjectReader {
  const { manifest, whitelist, certificate } = record;
  const files: Readonly<Record<string, Buffer>> = { '/.cvmfspublished': manifest, '/.cvmfswhitelist': whitelist };
  return {
    file: async (path) => files[path] ?? Promise.reject(new Error(`${path} is not in the record`)),
    // By any hash: it counts only if the whitelist lists its fingerprint.
    open: () => memoryObject(certificate),
    fetch: async ({ label }: ObjectRequest) => Promise.reject(new Error(`${label} is not in the record`)),
  };
}

function memoryObject(content: Buffer): LocalObject {
  return {
    size: content.length,
    read: (target, offset, length, position) =>
      content.copy(target, offset, position, Math.min(content.length, position + length)),
    close: () => {},
  };
}

function fileName(directory: string, fqrn: string): string {
  return `${directory}/cvmfsverified.${fqrn}`;
}
