export type UpperErrorCode = 'NO_UPPER' | 'UNREADABLE' | 'NO_XATTRS' | 'NAME';

/** What is wrong with a directory of changes; one line. */
export class UpperError extends Error {
  override readonly name = 'UpperError';
  readonly code: UpperErrorCode;

  constructor(code: UpperErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
