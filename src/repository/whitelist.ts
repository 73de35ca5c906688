// The whitelist `.cvmfswhitelist`: which certificates may sign a repository's manifest, and until when. Lines: time of
// issue, `E` time of expiry (both YYYYMMDDhhmmss, UTC), `N` name, optionally `Vpkcs7` and `Wcachain`, fingerprints.
// Ends at a line "--", where the letter's signature begins.
import type { ContentHash } from '../objects/hash.ts';
import { RepositoryError } from './errors.ts';
import { formatFingerprint, parseFingerprint } from './fingerprint.ts';

export interface Whitelist {
  /** YYYYMMDDhhmmss, UTC. */
  readonly issued: string;
  /** YYYYMMDDhhmmss, UTC. Minutes and seconds have no effect. */
  readonly expires: string;
  /** Fully qualified repository name. */
  readonly name: string;
  /** To be verified by PKCS#7 instead of a master key. */
  readonly pkcs7: boolean;
  /** The certificate must also verify against certificate authorities. */
  readonly caChain: boolean;
  readonly fingerprints: readonly ContentHash[];
}

/**
 * Parses a whitelist with or without its signature; neither signature nor expiry is looked at (client.md §1.4).
 * @throws RepositoryError BadWhitelist, reason malformed
 */
export function parseWhitelist(data: Uint8Array): Whitelist {
  const lines = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1').split('\n');
  lines.pop(); // what follows the last newline is no line
  const end = lines.indexOf('--');
  if (end >= 0) lines.length = end;
  const [issued = '', expiry = '', name = '', ...rest] = lines;
  if (issued.length !== 14) throw malformed('no time of issue in its first line');
  if (!/^E\d{14}$/.test(expiry)) throw malformed('no time of expiry in its second line');
  if (!name.startsWith('N')) throw malformed('no repository name in its third line');
  const pkcs7 = rest[0] === 'Vpkcs7';
  const caChain = rest[pkcs7 ? 1 : 0] === 'Wcachain';
  const fingerprints = rest.map(parseFingerprint).filter((hash) => hash !== undefined);
  return { issued, expires: expiry.slice(1), name: name.slice(1), pkcs7, caChain, fingerprints };
}

/** The whitelist's text, to be signed with a master key (client.md §14.10). */
export function encodeWhitelist(whitelist: Whitelist): Buffer {
  const lines = [whitelist.issued, `E${whitelist.expires}`, `N${whitelist.name}`];
  if (whitelist.pkcs7) lines.push('Vpkcs7');
  if (whitelist.caChain) lines.push('Wcachain');
  lines.push(...whitelist.fingerprints.map(formatFingerprint));
  return Buffer.from(`${lines.join('\n')}\n`, 'latin1');
}

/** Valid until the hour of expiry begins: in that hour it is expired already. */
export function isExpired(whitelist: Whitelist, now: Date): boolean {
  return whitelistTime(now).slice(0, 10) >= whitelist.expires.slice(0, 10);
}

/** YYYYMMDDhhmmss, UTC. */
export function whitelistTime(date: Date): string {
  return date.toISOString().replace(/\D/g, '').slice(0, 14);
}

function malformed(what: string): RepositoryError {
  return new RepositoryError('BadWhitelist', `the whitelist is malformed: ${what}`, { reason: 'malformed' });
}
