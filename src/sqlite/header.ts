// The first 100 bytes of a database file.
import { SqliteError } from './error.ts';

export const HEADER_BYTES = 100;

export interface FileHeader {
  /** Bytes in a page: a power of two from 512 to 65536. */
  readonly pageSize: number;
  /** Bytes of a page that b-trees use: without the reserved ones at its end. */
  readonly usable: number;
  readonly pageCount: number;
}

const MAGIC = 'SQLite format 3\0';

/** Checks a file's header against its size. Throws where the file is not one that this reader can answer for. */
export function parseHeader(bytes: Buffer, fileSize: number): FileHeader {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 16) !== MAGIC) {
    throw new SqliteError('NOT_A_DATABASE', `a file of ${fileSize} bytes is not an SQLite 3 database`);
  }
  const pageSize = bytes.readUInt16BE(16) === 1 ? 65536 : bytes.readUInt16BE(16);
  const usable = pageSize - bytes[20];
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0 || usable < 480) {
    throw new SqliteError(
      'NOT_A_DATABASE',
      `SQLite header with impossible page size ${pageSize} (${bytes[20]} reserved)`,
    );
  }
  if (bytes[21] !== 64 || bytes[22] !== 32 || bytes[23] !== 32) {
    throw new SqliteError('NOT_A_DATABASE', 'SQLite header with payload fractions other than 64, 32, 32');
  }
  if (bytes[18] === 2 || bytes[19] === 2) {
    throw new SqliteError(
      'UNSUPPORTED',
      'SQLite file in write-ahead log mode; convert it with PRAGMA journal_mode=DELETE',
    );
  }
  const format = bytes.readUInt32BE(44);
  if (bytes[18] !== 1 || bytes[19] !== 1 || format > 4) {
    throw new SqliteError('UNSUPPORTED', `SQLite file of versions ${bytes[18]}/${bytes[19]}, schema format ${format}`);
  }
  const encoding = bytes.readUInt32BE(56);
  if (encoding > 1)
    throw new SqliteError('UNSUPPORTED', `SQLite file with text encoding ${encoding}; only UTF-8 (1) is read`);

  // Old writers did not keep the count: it holds only where the change counter was copied along with it.
  const stated = bytes.readUInt32BE(24) === bytes.readUInt32BE(92) ? bytes.readUInt32BE(28) : 0;
  const pageCount = stated > 0 ? stated : Math.ceil(fileSize / pageSize);
  if (pageCount * pageSize > fileSize) {
    throw new SqliteError(
      'TRUNCATED',
      `SQLite file of ${fileSize} bytes should have ${pageCount} pages of ${pageSize}`,
    );
  }
  return { pageSize, usable, pageCount };
}
