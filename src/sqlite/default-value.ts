// Constant DEFAULTs of columns that were added to a table with rows.
import type { ColumnDefinition } from './create-table.ts';
import { SqliteError } from './error.ts';
import { isMark, keyword, type Token } from './sql-tokens.ts';

/** A value as a record would hold it. */
export interface DefaultValue {
  readonly type: number;
  readonly bytes: Buffer;
}

type Affinity = 'integer' | 'text' | 'blob' | 'real' | 'numeric';

const NULL: DefaultValue = { type: 0, bytes: Buffer.alloc(0) };

/** Throws UNSUPPORTED where the value would take an expression, or a conversion that is not obvious. */
export function defaultValue(column: ColumnDefinition): DefaultValue {
  let tokens = column.fallback;
  while (tokens.length > 2 && isMark(tokens[0], '(')) tokens = tokens.slice(1, -1);
  const negative = isMark(tokens[0], '-');
  if (negative || isMark(tokens[0], '+')) tokens = tokens.slice(1);
  const value = tokens.length > 0 ? constant(tokens, negative, affinity(column.type)) : NULL;
  if (value === undefined)
    throw new SqliteError('UNSUPPORTED', `the default of column ${column.name} is not a plain constant`);
  return value;
}

function constant(tokens: readonly Token[], negative: boolean, affinity: Affinity): DefaultValue | undefined {
  const [{ kind, text }] = tokens;
  const word = keyword(tokens[0]);
  if (tokens.length !== 1) return undefined;
  if (kind === 'number') return number(text, negative, affinity);
  if (negative || word.startsWith('CURRENT_')) return undefined;
  if (word === 'NULL') return NULL;
  if (word === 'TRUE' || word === 'FALSE') return number(word === 'TRUE' ? '1' : '0', false, affinity);
  if (kind === 'blob') return blob(Buffer.from(text, 'hex'));
  if (affinity !== 'text' && affinity !== 'blob' && /\d/.test(text)) return undefined;
  return string(text);
}

function number(text: string, negative: boolean, affinity: Affinity): DefaultValue | undefined {
  const isInteger = /^(\d+|0x[0-9a-f]+)$/i.test(text);
  if (!isInteger) return affinity === 'real' || affinity === 'blob' ? real(Number(text), negative) : undefined;
  const value = negative ? -BigInt(text) : BigInt(text);
  if (BigInt.asIntN(64, value) !== value) return undefined;
  if (affinity === 'real') return real(Number(text), negative);
  return affinity === 'text' ? string(String(value)) : integer(value);
}

function integer(value: bigint): DefaultValue {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return { type: 6, bytes };
}

function real(value: number, negative: boolean): DefaultValue {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(negative ? -value : value);
  return { type: 7, bytes };
}

function blob(bytes: Buffer): DefaultValue {
  return { type: 12 + 2 * bytes.length, bytes };
}

function string(text: string): DefaultValue {
  const bytes = Buffer.from(text, 'utf8');
  return { type: 13 + 2 * bytes.length, bytes };
}

function affinity(type: string): Affinity {
  if (type.includes('INT')) return 'integer';
  if (/CHAR|CLOB|TEXT/.test(type)) return 'text';
  if (type === '' || type.includes('BLOB')) return 'blob';
  return /REAL|FLOA|DOUB/.test(type) ? 'real' : 'numeric';
}
