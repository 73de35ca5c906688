// The breadcrumb `cvmfschecksum.<fqrn>` in the cache directory: the root catalog that was last taken from a verified
// manifest. `<hash string>T<publish time>R<revision>`, no newline; files of older clients lack the revision.
import { closeSync, openSync, readSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { ContentHash } from '../objects/hash.ts';

export interface Breadcrumb {
  readonly rootHash: ContentHash;
  /** Publish time of the manifest, seconds since 1970. */
  readonly timestamp: number;
  /** 0 when the file does not say. */
  readonly revision: number;
}

const MAX_BYTES = 164;
const PATTERN = /^([^T]+)T(\d+)(?:R(\d+))?\s*$/;

/** undefined for a text that is no valid breadcrumb (client.md §1.8). */
export function parseBreadcrumb(text: string): Breadcrumb | undefined {
  const [, hash = '', time, revision = '0'] = PATTERN.exec(text) ?? [];
  const rootHash = ContentHash.parse(hash);
  const timestamp = Number(time);
  if (!rootHash || rootHash.isNull || !(timestamp > 0) || timestamp > Number.MAX_SAFE_INTEGER) return undefined;
  return { rootHash, timestamp, revision: Math.min(Number(revision), Number.MAX_SAFE_INTEGER) };
}

export function encodeBreadcrumb(breadcrumb: Breadcrumb): string {
  return `${breadcrumb.rootHash}T${breadcrumb.timestamp}R${breadcrumb.revision}`;
}

/** What `directory` holds for the repository; undefined when there is none, or none that can be read. */
export function readBreadcrumb(directory: string, fqrn: string): Breadcrumb | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(fileName(directory, fqrn), 'r');
  } catch {
    return undefined;
  }
  try {
    const buffer = Buffer.alloc(MAX_BYTES);
    return parseBreadcrumb(buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, MAX_BYTES, 0)));
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** When somebody last noted there what a server said, in milliseconds since 1970; 0 when not known. */
export function breadcrumbTime(directory: string, fqrn: string): number {
  return statSync(fileName(directory, fqrn), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** A server has confirmed what it says. Of no consequence where the file may not be touched, or is not there. */
export function touchBreadcrumb(directory: string, fqrn: string): void {
  const now = new Date();
  try {
    utimesSync(fileName(directory, fqrn), now, now);
  } catch {
    // others will ask the server themselves
  }
}

/** Replaces the file at once, mode 0600. Throws the error of the system call. */
export function writeBreadcrumb(directory: string, fqrn: string, breadcrumb: Breadcrumb): void {
  replaceFile(fileName(directory, fqrn), encodeBreadcrumb(breadcrumb));
}

/** By way of a temporary file: readers see the old content or the new one. Throws the error of the system call. */
export function replaceFile(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function fileName(directory: string, fqrn: string): string {
  return `${directory}/cvmfschecksum.${fqrn}`;
}
