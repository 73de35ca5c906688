// How large a cache may be by its disk: it leaves some room to others, and shrinks when they need it.
import { statfsSync } from 'node:fs';

/** Of the disk, but no more than RESERVE bytes. */
const RESERVED_SHARE = 0.02;
const RESERVE = 1024 ** 3;

/** Bytes by which a cache may grow on this disk; negative: it has to shrink. Infinity: it cannot be told. */
export function spareRoom(directory: string): number {
  try {
    const { bsize, blocks, bavail } = statfsSync(directory);
    return bavail * bsize - Math.min(RESERVE, blocks * bsize * RESERVED_SHARE);
  } catch {
    return Infinity;
  }
}
