// The extended attributes of a catalog row: u8 version (1), u8 count, then per attribute u8 length of the key, u8 length
// of the value, key, value. A list that breaks the rules counts as empty. In version 2, which publishers of 2.14 write
// for a list with a long value, the length of each value is a little-endian u16; clients before that see no attribute then.

const VERSION = 1;
const VERSION_LONG = 2;
const MAX_ENTRIES = 255;
const MAX_LENGTH = 255;

/** Names in Latin-1, in ascending byte order, to values (client.md §3.8). */
export type XattrList = ReadonlyMap<string, Buffer>;

const EMPTY: XattrList = new Map();

export function parseXattrList(data: Uint8Array): XattrList {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < 2 || (bytes[0] !== VERSION && bytes[0] !== VERSION_LONG)) return EMPTY;
  const long = bytes[0] === VERSION_LONG;
  const entries: [string, Buffer][] = [];
  let position = 2;
  for (let left = bytes[1]!; left > 0; left--) {
    const key = position + (long ? 3 : 2);
    if (key > bytes.length) return EMPTY;
    const value = key + bytes[position]!;
    const next = value + (long ? bytes.readUInt16LE(position + 1) : bytes[position + 1]!);
    if (value === key || next > bytes.length) return EMPTY;
    const name = bytes.toString('latin1', key, value);
    if (name.includes('\0')) return EMPTY;
    entries.push([name, Buffer.from(bytes.subarray(value, next))]);
    position = next;
  }
  return new Map(sorted(entries));
}

/**
 * The BLOB of a row; undefined (NULL) for no attributes.
 * @throws RangeError for more than 255 attributes, an empty or NUL-containing key, keys or values above 255 bytes
 */
export function encodeXattrList(list: XattrList): Buffer | undefined {
  if (list.size === 0) return undefined;
  if (list.size > MAX_ENTRIES) throw new RangeError(`${list.size} extended attributes, at most ${MAX_ENTRIES} fit`);
  const parts: Buffer[] = [Buffer.of(VERSION, list.size)];
  for (const [name, value] of sorted([...list])) {
    const key = Buffer.from(name, 'latin1');
    if (key.length === 0 || key.includes(0)) throw new RangeError('an extended attribute has no valid name');
    if (key.length > MAX_LENGTH || value.length > MAX_LENGTH) {
      throw new RangeError(`the extended attribute ${name} is longer than ${MAX_LENGTH} bytes`);
    }
    parts.push(Buffer.of(key.length, value.length), key, value);
  }
  return Buffer.concat(parts);
}

/** By UTF-16 code unit, which in Latin-1 is by byte. */
function sorted(entries: [string, Buffer][]): [string, Buffer][] {
  return entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
