// Headers of tar archives (POSIX.1-2001: ustar with pax extensions). Names are bytes, one a character.
export const BLOCK_BYTES = 512;

export type TarKind = 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

const TYPES: Readonly<Record<TarKind, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};
const KINDS = new Map<string, TarKind>([
  ...Object.entries(TYPES).map(([kind, type]): [string, TarKind] => [type, kind as TarKind]),
  ['\0', 'file'],
  ['7', 'file'],
]);

export interface TarEntry {
  /** Latin-1, without `/` at either end. */
  readonly path: string;
  readonly kind: TarKind;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that follow the header; 0 for all but files. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: bigint;
  readonly mtimeNs: number;
  /** Of a symlink; of a link the path of what it links to (Latin-1). */
  readonly target: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** The plain fields of a header block. What does not fit is cut off, or 0: pax records say it. */
export function headerBlock(entry: TarEntry, type: string = TYPES[entry.kind]): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const path = type === '5' ? `${entry.path}/` : entry.path;
  block.write(path.slice(0, 100), 0, 'latin1');
  octal(block, 100, 8, entry.mode);
  octal(block, 108, 8, entry.uid);
  octal(block, 116, 8, entry.gid);
  octal(block, 124, 12, entry.size);
  octal(block, 136, 12, entry.mtime < 0n ? 0 : Number(entry.mtime));
  block.write(type, 156, 'latin1');
  block.write(entry.target.slice(0, 100), 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, 329, 8, entry.deviceMajor);
  octal(block, 337, 8, entry.deviceMinor);
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** What the plain fields of a header block say; undefined for a block that is none. `type` as it is there. */
export function parseHeaderBlock(
  block: Buffer,
): { type: string; kind: TarKind | undefined; entry: TarEntry } | undefined {
  if (number(block, 148, 8) !== checksum(block)) return undefined;
  const type = block.toString('latin1', 156, 157);
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const kind = KINDS.get(type);
  const entry: TarEntry = {
    path: prefix === '' ? name : `${prefix}/${name}`,
    kind: kind ?? 'file',
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtime: BigInt(number(block, 136, 12)),
    mtimeNs: 0,
    target: text(block, 157, 100),
    deviceMajor: number(block, 329, 8),
    deviceMinor: number(block, 337, 8),
    xattrs: new Map(),
  };
  return { type, kind, entry };
}

/** Bytes from the end of `size` bytes to the next block. */
export function padding(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function octal(block: Buffer, position: number, width: number, value: number): void {
  const digits = value.toString(8);
  block.write(`${(digits.length < width ? digits : '0').padStart(width - 1, '0')}\0`, position, 'latin1');
}

function text(block: Buffer, position: number, width: number): string {
  const field = block.toString('latin1', position, position + width);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

/** Octal digits; or, with the highest bit set, the rest of the bytes as they are (GNU). */
function number(block: Buffer, position: number, width: number): number {
  if ((block[position]! & 0x80) === 0) {
    const digits = /[0-7]+/.exec(text(block, position, width));
    return digits ? Number.parseInt(digits[0], 8) : 0;
  }
  let value = block[position]! & 0x7f;
  for (let i = 1; i < width; i++) value = value * 256 + block[position + i]!;
  return value;
}

/** Over all bytes, those of the checksum itself as blanks. */
function checksum(block: Buffer): number {
  let sum = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) sum += i >= 148 && i < 156 ? 0x20 : block[i]!;
  return sum;
}
