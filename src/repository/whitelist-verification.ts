// Whether a whitelist may be believed: it is of this repository, has not expired, and a master key signed it.
import type { KeyObject } from 'node:crypto';
import { printable, RepositoryError, reasonOf, type WhitelistReason } from './errors.ts';
import { isSignedByMasterKey, type Letter, parseLetter } from './letter.ts';
import { isExpired, parseWhitelist, type Whitelist } from './whitelist.ts';

export interface WhitelistVerificationOptions {
  readonly fqrn: string;
  readonly masterKeys: readonly KeyObject[];
  readonly now?: () => Date;
}

/**
 * @param data the file `.cvmfswhitelist` (client.md §1.4)
 * @throws RepositoryError BadWhitelist with a reason, NoAlgorithm
 */
export function verifyWhitelist(data: Buffer, options: WhitelistVerificationOptions): Whitelist {
  const { fqrn, masterKeys, now = () => new Date() } = options;
  const whitelist = parseWhitelist(data);
  if (whitelist.name !== fqrn) {
    throw refused('name', `the server's whitelist is of the repository '${printable(whitelist.name)}', not ${fqrn}`);
  }
  if (isExpired(whitelist, now())) {
    const clock = now().toISOString();
    throw refused(
      'expired',
      `the whitelist of ${fqrn} expired on ${readable(whitelist.expires)} (clock of this machine: ${clock}): its owner has to renew it`,
    );
  }
  // The reference's own PKCS#7 verification cannot succeed either: there is no directory of trusted authorities.
  if (whitelist.pkcs7 || whitelist.caChain) {
    const what = whitelist.pkcs7 ? 'a PKCS#7 signature' : 'a chain of certificate authorities';
    throw refused('unsupported', `the whitelist of ${fqrn} demands ${what}, which is not supported`);
  }
  if (masterKeys.length === 0) {
    throw refused('signature', `no master key to verify ${fqrn} with: set CVMFS_PUBLIC_KEY or CVMFS_KEYS_DIR`);
  }
  if (!isSignedByMasterKey(letterOf(data, fqrn), masterKeys)) {
    const message = `the whitelist of ${fqrn} was not signed with any of the ${masterKeys.length} master keys: check CVMFS_PUBLIC_KEY and CVMFS_KEYS_DIR`;
    throw refused('signature', message);
  }
  return whitelist;
}

function letterOf(data: Buffer, fqrn: string): Letter {
  try {
    return parseLetter(data);
  } catch (cause) {
    if (cause instanceof RepositoryError && cause.code === 'NoAlgorithm') throw cause;
    throw refused('signature', `the whitelist of ${fqrn} is damaged: ${reasonOf(cause)}`, cause);
  }
}

function readable(time: string): string {
  return time.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3 $4:00 UTC');
}

function refused(reason: WhitelistReason, message: string, cause?: unknown): RepositoryError {
  return new RepositoryError('BadWhitelist', message, { reason, cause });
}
