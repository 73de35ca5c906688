/** What went wrong between the user's command line and the running command. */
export type LauncherErrorCode =
  | 'NO_FUSE'
  | 'NO_FUSERMOUNT'
  | 'NO_RECEIVER'
  | 'MOUNT_FAILED'
  | 'NO_ROOT'
  | 'NO_JOURNAL'
  | 'NOT_KEPT'
  | 'NOT_MOUNTED'
  | 'UNMOUNT_FAILED';

export class LauncherError extends Error {
  override readonly name = 'LauncherError';
  readonly code: LauncherErrorCode;

  /** @param message one line: what was tried, what happened, what to do. */
  constructor(code: LauncherErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
