// The one error class of the publishing side.

export type PublishErrorCode =
  | 'EXISTS'
  | 'NOT_A_REPOSITORY'
  | 'KEY'
  | 'LOCKED'
  | 'DAMAGED'
  | 'TREE'
  | 'CHANGED_WHILE_READ'
  | 'TAG'
  | 'OPTION'
  | 'XATTR'
  | 'IO';

/** A publication that could not be done; the message is one line: what was tried, what happened, what to do. */
export class PublishError extends Error {
  readonly code: PublishErrorCode;

  constructor(code: PublishErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PublishError';
    this.code = code;
  }
}

/** Text of anything thrown, for the end of a message. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
