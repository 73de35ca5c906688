// What must be known of ELF files of 64 bits, little-endian (elf(5)).

const MACHINES: Readonly<Record<number, string>> = { 62: 'x86_64', 183: 'aarch64' };
const PT_INTERP = 3;

export interface ElfProgram {
  /** As `uname -m` says. */
  readonly machine: string;
  /** Path of its loader; undefined: it is linked statically. */
  readonly loader: string | undefined;
  /** Bytes from the start that are mapped when it runs. What follows are sections for linkers and debuggers. */
  readonly mappedSize: number;
}

/** undefined: it is no ELF file of a known machine. */
export function readElf(file: Buffer): ElfProgram | undefined {
  if (file.length < 64 || file.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
  const machine = MACHINES[file.readUInt16LE(18)];
  if (!machine) return undefined;
  const table = Number(file.readBigUInt64LE(32));
  const entrySize = file.readUInt16LE(54);
  const entries = file.readUInt16LE(56);
  let mappedSize = table + entries * entrySize;
  let loader: string | undefined;
  for (let i = 0; i < entries; i++) {
    const entry = table + i * entrySize;
    const offset = Number(file.readBigUInt64LE(entry + 8));
    const size = Number(file.readBigUInt64LE(entry + 32));
    if (file.readUInt32LE(entry) === PT_INTERP) loader = file.toString('latin1', offset, offset + size - 1);
    mappedSize = Math.max(mappedSize, offset + size);
  }
  return { machine, loader, mappedSize };
}

/** Without what is not needed to run it: symbols, mostly. A seventh of Node. */
export function trimmed(file: Buffer): Buffer {
  const elf = readElf(file);
  if (!elf || elf.mappedSize >= file.length) return file;
  const short = Buffer.from(file.subarray(0, elf.mappedSize));
  short.writeBigUInt64LE(0n, 40); // offset of the section headers
  short.writeUInt32LE(0, 60); // their number, and which of them has the names
  return short;
}
