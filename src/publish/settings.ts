// How a tree is published, kept beside the repository so that every publication does it alike. What its manifest says
// (hash algorithm, time to live, garbage collection, alternative path) is not repeated here. Nothing in it is secret.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Compression } from '../objects/object.ts';
import { type ChunkSizes, checkChunkSizes, DEFAULT_CHUNK_SIZES } from './chunker.ts';
import { PublishError, reason } from './errors.ts';
import { writeAtomically } from './object-files.ts';

export interface PublishSettings {
  /** Of files' data; all else is always compressed. */
  readonly compression: Compression;
  readonly chunkSizes: ChunkSizes;
  /** Path patterns of directories that begin a nested catalog also without a marker file, such as '/software/*'. */
  readonly catalogPaths: readonly string[];
  /** Whether to make the hidden /.cvmfs/snapshots/<tag>. */
  readonly snapshots: boolean;
}

export const DEFAULT_SETTINGS: PublishSettings = {
  compression: 'zlib',
  chunkSizes: DEFAULT_CHUNK_SIZES,
  catalogPaths: [],
  snapshots: false,
};

const FILE = '.cvmfspublisher.json';

export function writeSettings(directory: string, settings: PublishSettings): void {
  writeAtomically(directory, join(directory, FILE), Buffer.from(`${JSON.stringify(settings, null, 2)}\n`));
}

/** What the file does not say has its default, also all of it in a repository of another publisher. */
export function readSettings(directory: string): PublishSettings {
  const path = join(directory, FILE);
  if (!existsSync(path)) return DEFAULT_SETTINGS;
  try {
    return checkSettings({ ...DEFAULT_SETTINGS, ...JSON.parse(readFileSync(path, 'utf8')) });
  } catch (error) {
    throw new PublishError('OPTION', `cannot use ${path}: ${reason(error)}`, error);
  }
}

/** @throws PublishError OPTION */
export function checkSettings(settings: PublishSettings): PublishSettings {
  checkChunkSizes(settings.chunkSizes);
  if (settings.compression === 'zlib' || settings.compression === 'none') return settings;
  throw new PublishError('OPTION', `unknown compression ${settings.compression}: take zlib or none`);
}
