// What people and talk commands do to a cache with a quota, beside using it.
import { readFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { onDisk } from './quota/accounts.ts';
import { parseLine } from './quota/ledger-line.ts';
import type { Quota } from './quota/quota.ts';
import type { QuotaFiles } from './quota/quota-files.ts';
import { pathOfObject, scanObjects } from './quota/scan.ts';

const STEP_MS = 50;

export interface ListedObject {
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  readonly label: string;
  readonly pinned: boolean;
}

/** What the ledger knows of, least recently stored first. Throws the error of the system call. */
export function listObjects({ ledger }: QuotaFiles, kind: 'all' | 'pinned' | 'catalogs'): ListedObject[] {
  const objects = new Map<string, { size: number; label: string; catalog: boolean }>();
  const pinned = new Set<string>();
  for (const text of readIfThere(ledger).split('\n')) {
    const line = parseLine(text);
    if (line?.type === 'stored') {
      objects.set(line.hash, { size: line.size, label: line.label, catalog: line.kind === 'catalog' });
    } else if (line?.type === 'removed') {
      objects.delete(line.hash);
      pinned.delete(line.hash);
    } else if (line?.type === 'pinned') pinned.add(line.hash);
    else if (line?.type === 'unpinned') pinned.delete(line.hash);
  }
  return [...objects]
    .filter(([hash, { catalog }]) => kind === 'all' || (kind === 'catalogs' ? catalog : pinned.has(hash)))
    .map(([hash, { size, label }]) => ({ hash, size, label, pinned: pinned.has(hash) }));
}

/** How often the cache was cleaned up in the last `minutes`. */
export function cleanups({ ledger }: QuotaFiles, minutes: number): number {
  const since = Date.now() / 1000 - minutes * 60;
  return readIfThere(ledger)
    .split('\n')
    .map(parseLine)
    .filter((line) => line?.type === 'event' && line.word === 'cleanup' && line.seconds >= since).length;
}

/** Removes what was not used for longest until no more than `bytes` remain. False: not within `patience` milliseconds. */
export async function cleanUp(quota: Quota, bytes: number, patience = 10_000): Promise<boolean> {
  quota.wantAtMost(bytes);
  for (const end = performance.now() + patience; performance.now() < end; await sleep(STEP_MS)) {
    const state = quota.state();
    if (state && state.scanned > 0 && !quota.isBehind(state) && state.used <= bytes) return true;
  }
  return false;
}

/** Removes all objects, also while others use them: they fetch them again. Gives how many, and their bytes on disk. */
export async function wipe(directory: string, quota: Quota | undefined): Promise<{ objects: number; bytes: number }> {
  let [objects, bytes] = [0, 0];
  for await (const found of scanObjects(directory)) {
    quota?.removedAll(found.map(({ hash }) => hash));
    for (const { hash, size } of found) {
      try {
        await unlink(pathOfObject(directory, hash));
        objects++;
        bytes += onDisk(size);
      } catch {
        // somebody else was faster
      }
    }
  }
  return { objects, bytes };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
