// The whitelist says which certificate may sign and until when. It is renewed by itself, without a new revision, on
// whatever machine has the master key.
import { join } from 'node:path';
import type { HashAlgorithm } from '../objects/hash.ts';
import { fingerprint } from '../repository/certificate.ts';
import { signWithMasterKey } from '../repository/letter.ts';
import { encodeWhitelist, whitelistTime } from '../repository/whitelist.ts';
import { PublishError } from './errors.ts';
import { loadCertificate, loadMasterKey } from './keys.ts';
import { writeAtomically } from './object-files.ts';
import type { RepositoryLocation } from './repository.ts';

export const WHITELIST = '.cvmfswhitelist';

export interface RenewalOptions extends RepositoryLocation {
  readonly fqrn: string;
  readonly algorithm: HashAlgorithm;
  /** Days from now until it expires (negative ones make an expired whitelist, for tests). Default: 30. */
  readonly validDays?: number;
}

/** Signs a new whitelist for the certificate in the keys directory; returns the moment it expires. @throws PublishError KEY, IO */
export function renewWhitelist(options: RenewalOptions): Date {
  const { directory, keysDirectory, fqrn, algorithm, validDays = 30 } = options;
  if (!Number.isFinite(validDays)) throw new PublishError('OPTION', `${validDays} is not a number of days`);
  const now = new Date();
  const expires = new Date(now.getTime() + validDays * 86_400_000);
  const body = encodeWhitelist({
    issued: whitelistTime(now),
    expires: whitelistTime(expires),
    name: fqrn,
    pkcs7: false,
    caChain: false,
    fingerprints: [fingerprint(loadCertificate(keysDirectory, fqrn), algorithm)],
  });
  const letter = signWithMasterKey(body, algorithm, loadMasterKey(keysDirectory, fqrn));
  writeAtomically(directory, join(directory, WHITELIST), letter);
  return expires;
}
