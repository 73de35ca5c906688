// Variable-length integers of SQLite: 1 to 9 bytes, most significant first, 7 bits each and all 8 of the ninth.
// Reading past the end of `bytes` gives NaN or a length that the caller's bounds check refuses; it never throws.
import { corrupt, SqliteError } from './error.ts';

/** Bytes taken by the integer at `at`. */
export function varintLength(bytes: Uint8Array, at: number): number {
  let length = 1;
  while (length < 9 && bytes[at + length - 1] >= 0x80) length++;
  return length;
}

/** Value as an unsigned number. Above 2^53 it is rounded: good for sizes, which are far below. */
export function varint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at];
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  for (let i = 1; i < 8; i++) {
    byte = bytes[at + i];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return value * 256 + bytes[at + 8];
}

/** Value as a rowid: signed, and exact or refused. */
export function rowidVarint(bytes: Uint8Array, at: number): number {
  const value = varint(bytes, at);
  if (value <= Number.MAX_SAFE_INTEGER) return value;
  if (Number.isNaN(value)) throw corrupt('a cell runs over the end of its page');
  let exact = 0n;
  const length = varintLength(bytes, at);
  for (let i = 0; i < length; i++) {
    exact = i < 8 ? (exact << 7n) | BigInt(bytes[at + i] & 0x7f) : (exact << 8n) | BigInt(bytes[at + i]);
  }
  const signed = Number(BigInt.asIntN(64, exact));
  if (!Number.isSafeInteger(signed)) throw new SqliteError('RANGE', `rowid ${signed} is beyond ±2^53, not read here`);
  return signed;
}
