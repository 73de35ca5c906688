// Why a preload does not start, or stops.

export type PreloadErrorCode =
  /** A line of a specification cannot be understood. */
  | 'BAD_PATTERN'
  /** A file that was named cannot be read. */
  | 'NO_FILE'
  /** What is missing does not fit. */
  | 'NO_SPACE'
  /** So much went wrong that going on makes no sense. */
  | 'GIVEN_UP'
  /** tar failed. */
  | 'PACK';

export class PreloadError extends Error {
  override readonly name = 'PreloadError';
  readonly code: PreloadErrorCode;

  constructor(code: PreloadErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
