// Failures of the local cache.

export type CacheErrorCode =
  /** The directory can be written by somebody else. */
  | 'FOREIGN'
  /** The directory can neither be used nor made. */
  | 'UNUSABLE'
  /** This process has as many open files as it may. */
  | 'TOO_MANY_FILES'
  /** An object could not be stored: full disk, read-only file system, no permission. */
  | 'NOT_STORED'
  /** An object that cannot be stored is too large for memory. */
  | 'TOO_LARGE'
  /** The store has been closed. */
  | 'CLOSED';

export class CacheError extends Error {
  override readonly name = 'CacheError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Short reason of a failed system call. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOSPC':
      return 'no space left';
    case 'EDQUOT':
      return 'disk quota exceeded';
    case 'EROFS':
      return 'read-only file system';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    default:
      return code ?? (error as Error).message;
  }
}

/** The failure to store something in the cache at `path`. */
export function notStored(path: string, error: unknown): CacheError {
  if (error instanceof CacheError) return error;
  return new CacheError('NOT_STORED', `cannot store in the cache directory ${path}: ${reasonOf(error)}`, error);
}

/** What kept an object from being stored, if that is what `error` is about. */
export function storageFailure(error: unknown): CacheError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof CacheError && cause.code === 'NOT_STORED') return cause;
  }
  return undefined;
}

export function isDiskFull(error: unknown): boolean {
  const { code } = (storageFailure(error)?.cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
