// Where large files are cut (client.md §14.6: any rule will do). Content-defined borders keep most chunks of a file
// whose middle has changed: a rolling "gear" hash of the last 32 bytes decides, between a least and a greatest length.
import { PublishError } from './errors.ts';

export interface ChunkSizes {
  /** Bytes; no chunk but a file's last is shorter, and shorter files are never cut. */
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

export const DEFAULT_CHUNK_SIZES: ChunkSizes = { min: 4 << 20, average: 8 << 20, max: 16 << 20 };

/** Bytes that the hash remembers: each step shifts one bit out of 32. */
const WINDOW = 32;
const GEAR = gearTable();

/**
 * Finds the end of a chunk that starts at `data[0]`, or undefined when that takes more data. `searched` is what an earlier
 * call has been through already. Equal sizes (min = average = max) give fixed chunks.
 */
export function findCut(data: Uint8Array, searched: number, sizes: ChunkSizes): number | undefined {
  const threshold = Math.ceil(2 ** 32 / Math.max(1, sizes.average - sizes.min));
  const first = Math.max(sizes.min, searched);
  const end = Math.min(data.length, sizes.max);
  let hash = 0;
  for (let i = Math.max(0, first - WINDOW); i < Math.min(first, end); i++) hash = ((hash << 1) + GEAR[data[i]!]!) >>> 0;
  for (let i = first; i < end; i++) {
    if (hash < threshold) return i;
    hash = ((hash << 1) + GEAR[data[i]!]!) >>> 0;
  }
  return data.length >= sizes.max ? sizes.max : undefined;
}

/** @throws PublishError OPTION unless 0 < min ≤ average ≤ max ≤ 1 GiB. */
export function checkChunkSizes(sizes: ChunkSizes): void {
  const { min, average, max } = sizes;
  const whole = [min, average, max].every((size) => Number.isSafeInteger(size) && size > 0);
  if (whole && min <= average && average <= max && max <= 1 << 30) return;
  throw new PublishError('OPTION', `chunk sizes ${min}, ${average}, ${max} are not 0 < min <= average <= max <= 1 GiB`);
}

/** 256 pseudo-random words, the same for ever: other words would move every border. */
function gearTable(): Uint32Array {
  const table = new Uint32Array(256);
  let state = 0x9e3779b9;
  for (let i = 0; i < 256; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    table[i] = (word ^ (word >>> 14)) >>> 0;
  }
  return table;
}
