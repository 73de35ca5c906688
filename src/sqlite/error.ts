/**
 * What was wrong with a database file:
 * - `NOT_A_DATABASE`: the header is not one of SQLite 3
 * - `TRUNCATED`: the file is shorter than it says
 * - `CORRUPT`: its structure contradicts itself
 * - `UNSUPPORTED`: valid, but not read here (write-ahead log, UTF-16, WITHOUT ROWID, …)
 * - `NO_SUCH_TABLE`: the schema has no table of that name
 * - `TYPE`: a value is not of the kind that was asked for
 * - `RANGE`: an integer does not fit what it was asked as
 * - `IO`: the file could not be read; the cause is attached
 * - `CLOSED`: used after close()
 */
export type SqliteErrorCode =
  | 'NOT_A_DATABASE'
  | 'TRUNCATED'
  | 'CORRUPT'
  | 'UNSUPPORTED'
  | 'NO_SUCH_TABLE'
  | 'TYPE'
  | 'RANGE'
  | 'IO'
  | 'CLOSED';

/** The one error of this layer. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  readonly code: SqliteErrorCode;

  constructor(code: SqliteErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function corrupt(message: string): SqliteError {
  return new SqliteError('CORRUPT', `damaged SQLite file: ${message}`);
}
