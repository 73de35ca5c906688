// Kernels before 6.9 cannot repeat what a dead server had read and not answered (RESEND). There the requests are numbered
// one after the other, so each that may be among them is answered with ESTALE, which makes the kernel look up, open and
// read again; only reading a directory shows it to the caller. Numbers that nobody waits for are refused, harmlessly.

import { writeSync } from 'node:fs';
import { ESTALE } from './errno.ts';

const HEADER_BYTES = 16;
const TWO_32 = 0x1_0000_0000;
/** A request may have waited while so many others were answered. All are told within about 0.15 s. */
const RANGE = 100_000;

/** To be called before the request numbered `first`, the first that the new server has read, is answered. */
export function releaseLostRequests(fd: number, first: number): void {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(HEADER_BYTES, 0);
  bytes.writeInt32LE(-ESTALE, 4);
  for (let unique = Math.max(first - RANGE, 1); unique < first; unique++) {
    bytes.writeUInt32LE(unique % TWO_32, 8);
    bytes.writeUInt32LE(Math.floor(unique / TWO_32), 12);
    try {
      writeSync(fd, bytes);
    } catch {
      // nobody waits for it
    }
  }
}
