// Sizes as people write and read them. A number alone is megabytes, as in CVMFS_QUOTA_LIMIT.

const UNITS = ['', 'K', 'M', 'G', 'T'];

/** Bytes; undefined for what is no size. */
export function parseByteSize(text: string): number | undefined {
  const [, number, unit] = /^([0-9]{1,12}(?:\.[0-9]{1,6})?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Math.round(Number(number) * 1024 ** UNITS.indexOf((unit || 'M').toUpperCase()));
}

/** Such as `1.5 GiB`. */
export function readableBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const number = bytes / 1024 ** power;
  return power === 0 ? `${bytes} bytes` : `${number >= 100 ? Math.round(number) : number.toFixed(1)} ${UNITS[power]}iB`;
}
