// Integers of records. Serial types 1 to 6 are big-endian two's complement of 1, 2, 3, 4, 6 and 8 bytes,
// 8 and 9 are the constants 0 and 1 without bytes, 0 is NULL, 7 an IEEE double.

const SIZES: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

/** Bytes in the body of a record for a value of this serial type; infinitely many where no record could hold it. */
export function valueSize(type: number): number {
  if (type < 10) return SIZES[type];
  return type < 0x8000_0000 ? (type - 12) >>> 1 : Number.POSITIVE_INFINITY;
}

export function isInteger(type: number): boolean {
  return type > 0 && type < 10 && type !== 7;
}

/** Upper 32 bits of the 64-bit value, signed. `type` is an integer's or 0. */
export function highHalf(bytes: Uint8Array, at: number, type: number): number {
  switch (type) {
    case 6:
      return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    case 5:
      return ((bytes[at] << 24) | (bytes[at + 1] << 16)) >> 16;
    case 0:
    case 8:
    case 9:
      return 0;
    default:
      return (bytes[at] << 24) >> 31;
  }
}

/** Lower 32 bits of the 64-bit value, as a signed number. `type` is an integer's or 0. */
export function lowHalf(bytes: Uint8Array, at: number, type: number): number {
  switch (type) {
    case 6:
      return (bytes[at + 4] << 24) | (bytes[at + 5] << 16) | (bytes[at + 6] << 8) | bytes[at + 7];
    case 5:
      return (bytes[at + 2] << 24) | (bytes[at + 3] << 16) | (bytes[at + 4] << 8) | bytes[at + 5];
    case 4:
      return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    case 3:
      return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8)) >> 8;
    case 2:
      return ((bytes[at] << 24) | (bytes[at + 1] << 16)) >> 16;
    case 1:
      return (bytes[at] << 24) >> 24;
    case 9:
      return 1;
    default:
      return 0;
  }
}

/** The value of both halves as a number: exact up to 2^53, the nearest double beyond. */
export function joinHalves(high: number, low: number): number {
  return high * 0x1_0000_0000 + (low >>> 0);
}

const scratch = new DataView(new ArrayBuffer(8));

/** The IEEE double of serial type 7. */
export function realValue(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) scratch.setUint8(i, bytes[at + i]);
  return scratch.getFloat64(0);
}

/**
 * Order of a stored value against a 64-bit integer, as SQLite orders them: NULL before numbers, text and BLOBs after.
 * Negative: the stored value comes first.
 */
export function compareInteger(bytes: Uint8Array, at: number, type: number, high: number, low: number): number {
  if (isInteger(type)) {
    const storedHigh = highHalf(bytes, at, type);
    if (storedHigh !== high) return storedHigh < high ? -1 : 1;
    const storedLow = lowHalf(bytes, at, type) >>> 0;
    const keyLow = low >>> 0;
    return storedLow < keyLow ? -1 : storedLow > keyLow ? 1 : 0;
  }
  if (type === 0) return -1;
  if (type !== 7) return 1;
  const real = realValue(bytes, at);
  const key = (BigInt(high) << 32n) | BigInt(low >>> 0);
  return real < key ? -1 : real > key ? 1 : 0;
}
