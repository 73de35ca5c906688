// Why a repository, or a part of it, was refused. The codes are stable: callers choose exit codes and texts by them.

export type RepositoryErrorCode =
  /** The manifest (or an object of the chain) could not be downloaded. */
  | 'Load'
  /** The manifest lacks a required field. */
  | 'Incomplete'
  | 'NameMismatch'
  | 'RootMismatch'
  /** The manifest is older than what was already seen. */
  | 'Outdated'
  /** The certificate object holds no usable certificate. */
  | 'BadCertificate'
  | 'BadSignature'
  /** See `reason`. */
  | 'BadWhitelist'
  /** The certificate is not listed in the whitelist. */
  | 'InvalidCertificate'
  /** The certificate, or the revision, is blacklisted. */
  | 'Blacklisted'
  /** A master key cannot be used. */
  | 'BadKey'
  | 'NoHistory'
  | 'NoSuchTag'
  | 'BadDate'
  | 'BadHistory'
  /** A catalog of a schema this program does not know. */
  | 'BadSchema'
  /** A catalog whose content contradicts itself. */
  | 'BadCatalog'
  /** A file bundle that is none. */
  | 'BadBundle'
  /** The letter around a manifest or whitelist is damaged. */
  | 'BadLetter'
  /** A hash algorithm is not available here. */
  | 'NoAlgorithm';

export type WhitelistReason =
  | 'load'
  | 'malformed'
  | 'name'
  | 'expired'
  | 'signature'
  /** Needs PKCS#7 or a chain of certificate authorities, which are refused. */
  | 'unsupported';

export interface RepositoryErrorDetails {
  cause?: unknown;
  /** With code BadWhitelist. */
  reason?: WhitelistReason;
}

export class RepositoryError extends Error {
  readonly code: RepositoryErrorCode;
  readonly reason?: WhitelistReason;

  /** @param message one line: what was tried, what happened, what to do. */
  constructor(code: RepositoryErrorCode, message: string, details: RepositoryErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RepositoryError';
    this.code = code;
    if (details.reason) this.reason = details.reason;
  }
}

/** The message of anything thrown, on one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ');
}

/** Text from outside, fit for one line of a log. */
export function printable(text: string): string {
  const safe = text.replace(/[^\x20-\x7e]/g, '?');
  return safe.length > 100 ? `${safe.slice(0, 100)}…` : safe;
}

/** Seconds since 1970, for people. */
export function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s after 1970` : date.toISOString();
}
