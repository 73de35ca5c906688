// Checking the objects of a cache directory (client.md §10.1): by the checksum that was noted when they were stored, or else
// by their name, which is the hash of their content where that was never compressed, or as this zlib compresses it. What
// none of these can tell stays: another zlib may have compressed it.
import { readFileSync, unlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { ContentHash } from '../objects/hash.ts';
import { checksumOfFile, seal } from './checksum.ts';
import type { ChecksumOf } from './directory.ts';
import { isEmptyObject } from './empty-object.ts';
import { pathOfObject, scanObjects } from './quota/scan.ts';

export interface CheckResult {
  readonly files: number;
  readonly sound: number;
  /** Nothing is known of them that could be compared. */
  readonly unknown: number;
  /** Hash strings. */
  readonly damaged: readonly string[];
  readonly removed: number;
}

export interface CheckOptions {
  readonly checksumOf: ChecksumOf;
  /** Removes what is damaged; it is fetched again when it is needed. */
  readonly repair: boolean;
  /** Told before it is removed: whoever stores it anew says that after it. */
  readonly onRemove?: (hash: ContentHash) => void;
}

const compress = promisify(deflate);
/** Larger ones are not compressed for a comparison. Bytes. */
const MAX_COMPRESSED = 64 * 1024 * 1024;

/** May run while others use the cache. Files that vanish meanwhile do not count. */
export async function checkCache(directory: string, options: CheckOptions): Promise<CheckResult> {
  const damaged: string[] = [];
  let [files, sound, unknown, removed] = [0, 0, 0, 0];
  for await (const found of scanObjects(directory)) {
    for (const { hash: name, size } of found) {
      const hash = ContentHash.parse(name) as ContentHash;
      const path = pathOfObject(directory, name);
      let verdict: 'sound' | 'damaged' | 'unknown';
      try {
        verdict = await verdictOn(hash, path, size, options.checksumOf);
      } catch {
        continue;
      }
      files++;
      if (verdict === 'sound') sound++;
      else if (verdict === 'unknown') unknown++;
      else {
        damaged.push(name);
        if (!options.repair) continue;
        options.onRemove?.(hash);
        if (remove(path)) removed++;
      }
    }
  }
  return { files, sound, unknown, damaged, removed };
}

async function verdictOn(hash: ContentHash, path: string, size: number, checksumOf: ChecksumOf) {
  if (size === 0) return isEmptyObject(hash) ? 'sound' : 'damaged';
  const noted = checksumOf(hash);
  if (noted !== undefined) {
    if (checksumOfFile(path) !== noted) return 'damaged';
    seal(path);
    return 'sound';
  }
  if (size > MAX_COMPRESSED) return 'unknown';
  const content = readFileSync(path);
  if (ContentHash.of(hash.algorithm, content).equals(hash)) return 'sound';
  return ContentHash.of(hash.algorithm, await compress(content)).equals(hash) ? 'sound' : 'unknown';
}

function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}
