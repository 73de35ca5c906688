/**
 * - `NO_FILE`: a file or directory that was named does not exist or cannot be read
 * - `NO_KEY`: there is no master key
 * - `KEY_FILE`: master keys that were named cannot be read
 * - `NO_CACHE`: there is no place for the cache
 * - `CONFLICT`: two parameters exclude each other
 * - `BAD_NAME`: not a repository name
 * - `BAD_MAP`: a file that maps user or group ids is not understood
 * - `BAD_OPTION`: not KEY=VALUE
 * - `BAD_VALUE`: a parameter has a value without a meaning
 * - `NO_CONFIGURATION`: the configuration repository cannot be used
 * - `NOT_ALLOWED`: CVMFS_STRICT_MOUNT excludes the repository
 * - `MISSING`: a parameter without which nothing works
 */
export type ConfigErrorCode =
  | 'NO_FILE'
  | 'NO_KEY'
  | 'KEY_FILE'
  | 'NO_CACHE'
  | 'CONFLICT'
  | 'BAD_NAME'
  | 'BAD_MAP'
  | 'BAD_OPTION'
  | 'BAD_VALUE'
  | 'NO_CONFIGURATION'
  | 'NOT_ALLOWED'
  | 'MISSING';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;

  /** @param message one line: what was tried, what happened, what to do. */
  constructor(code: ConfigErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
