// Buffers that transfers share: fresh memory costs more than all else that is done to a small object.

export const TRANSFER_BUFFER_BYTES = 256 * 1024;

/** As many are kept as there may be connections, and a few on their way to the disk. */
const MAX_FREE = 24;
const free: Buffer[] = [];

/** A buffer of TRANSFER_BUFFER_BYTES with arbitrary content. */
export function takeTransferBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(TRANSFER_BUFFER_BYTES);
}

/** Gives a buffer back, whole or a part from its start; nobody may use it any more. Other buffers are ignored. */
export function giveTransferBuffer(buffer: Buffer): void {
  if (buffer.buffer.byteLength !== TRANSFER_BUFFER_BYTES || free.length >= MAX_FREE) return;
  free.push(Buffer.from(buffer.buffer));
}
