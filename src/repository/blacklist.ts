// The blacklist: one item a line, either the fingerprint of a certificate that must not be trusted any more, or
// `<FQRN N`: all revisions of that repository below N are withdrawn. Other lines mean nothing.
import type { ContentHash } from '../objects/hash.ts';
import { type Certificate, fingerprint } from './certificate.ts';
import { parseFingerprint } from './fingerprint.ts';

export interface Blacklist {
  readonly fingerprints: readonly ContentHash[];
  /** Repository name to the lowest revision allowed. */
  readonly minimumRevisions: ReadonlyMap<string, number>;
}

/** The union of several files' contents (client.md §1.6). */
export function parseBlacklist(...texts: string[]): Blacklist {
  const fingerprints: ContentHash[] = [];
  const minimumRevisions = new Map<string, number>();
  for (const line of texts.flatMap((text) => text.split('\n'))) {
    const [, name, digits] = /^<([^ \t]+)[ \t]+(\d+)$/.exec(line) ?? [];
    if (name !== undefined) {
      minimumRevisions.set(name, Math.max(Number(digits), minimumRevisions.get(name) ?? 0));
      continue;
    }
    const hash = parseFingerprint(line);
    if (hash) fingerprints.push(hash);
  }
  return { fingerprints, minimumRevisions };
}

/** @throws RepositoryError NoAlgorithm: what cannot be checked is not trusted */
export function isCertificateBlacklisted(blacklist: Blacklist, certificate: Certificate): boolean {
  return blacklist.fingerprints.some((listed) => fingerprint(certificate, listed.algorithm).equals(listed));
}

export function isRevisionBlacklisted(blacklist: Blacklist, fqrn: string, revision: number): boolean {
  return revision < (blacklist.minimumRevisions.get(fqrn) ?? 0);
}
