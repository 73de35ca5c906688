// Addresses of a name, and which of them to use.

export interface AddressList {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
}

export interface Addresses extends AddressList {
  /** Milliseconds of performance.now(). */
  readonly expires: number;
}

/** 6: IPv6 before IPv4. CVMFS_IPFAMILY_PREFER. */
export type Family = 4 | 6;

/** Those of the preferred family, or of the other one when there are none. */
export function preferred({ v4, v6 }: AddressList, family: Family): readonly string[] {
  const [first, second] = family === 6 ? [v6, v4] : [v4, v6];
  return first.length > 0 ? first : second;
}

/** All, those of the preferred family first. */
export function ordered({ v4, v6 }: AddressList, family: Family): readonly string[] {
  return family === 6 ? [...v6, ...v4] : [...v4, ...v6];
}

/** A random order: clients spread over the addresses of a name. */
export function shuffled<T>(list: readonly T[], random: (below: number) => number = randomBelow): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

/** Integer in [0, below). */
export function randomBelow(below: number): number {
  return Math.floor(Math.random() * below);
}
