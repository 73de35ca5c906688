// Files are stored uncompressed under the hash of their compressed form, so that their name does not tell whether they are
// sound. A CRC-32 of the content is noted instead: against a bad disk and a crash; nobody but the owner can write there.
import * as fs from 'node:fs';

const BLOCK_BYTES = 256 * 1024;

/** CRC-32 of bytes; `before`: of those that came before them. */
export function checksum(bytes: Uint8Array, before = 0): number {
  return process.getBuiltinModule('node:zlib').crc32(bytes, before);
}

/** Throws the error of the system call. */
export function checksumOfFile(path: string): number {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    let sum = 0;
    for (;;) {
      const count = fs.readSync(fd, block, 0, BLOCK_BYTES, null);
      if (count === 0) return sum;
      sum = checksum(block.subarray(0, count), sum);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Its time is one of whole seconds, as `seal` leaves it: nobody has written to it since. */
export function isSealed({ mtimeMs }: Pick<fs.Stats, 'mtimeMs'>): boolean {
  return mtimeMs % 1000 === 0;
}

/** Gives a complete file its time. Throws the error of the system call. */
export function seal(file: string | number): void {
  const now = Date.now() / 1000;
  if (typeof file === 'number') fs.futimesSync(file, now, Math.floor(now));
  else fs.utimesSync(file, now, Math.floor(now));
}
