/**
 * - `NO_FILE`: a file or directory that was named does not exist or cannot be read
 * - `NO_CACHE`: there is no place for the cache
 * - `CONFLICT`: two parameters exclude each other
 * - `BAD_NAME`: not a repository name
 * - `BAD_OPTION`: not KEY=VALUE
 * - `BAD_VALUE`: a parameter has a value without a meaning
 * - `MISSING`: a parameter without which nothing works
 */
export type ConfigErrorCode = 'NO_FILE' | 'NO_CACHE' | 'CONFLICT' | 'BAD_NAME' | 'BAD_OPTION' | 'BAD_VALUE' | 'MISSING';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;

  /** @param message one line: what was tried, what happened, what to do. */
  constructor(code: ConfigErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
