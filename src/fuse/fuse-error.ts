export type FuseErrorCode =
  /** The descriptor is not one of /dev/fuse, or is closed. */
  | 'bad-descriptor'
  /** Nobody mounted the descriptor in time. */
  | 'not-mounted'
  /** This Node does not let a pipe handle adopt a descriptor. */
  | 'unfit-runtime'
  /** The kernel refused a notification. */
  | 'notification-refused'
  /** The mount ended before INIT came. */
  | 'ended';

/** A failure of the connection to the kernel itself. Requests fail with Errno. */
export class FuseError extends Error {
  readonly code: FuseErrorCode;

  constructor(code: FuseErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'FuseError';
    this.code = code;
  }
}

/** The errno name of a failed call of node:fs ("ENODEV"), or ''. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
