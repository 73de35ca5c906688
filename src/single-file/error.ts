export type SingleFileErrorCode = 'BAD_INPUT' | 'NO_TOOL' | 'WRITE';

export class SingleFileError extends Error {
  override readonly name = 'SingleFileError';
  readonly code: SingleFileErrorCode;

  constructor(code: SingleFileErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
