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
/** A keeper that knows what is wanted and has removed nothing for so long will not: the rest is pinned. */
const STILL_MS = 1500;

export interface ListedObject {
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  readonly label: string;
  readonly pinned: boolean;
}

/** What the ledger knows of, least recently stored first; `kept`: catalogs and what is pinned. Throws the error of the system call. */
export function listObjects({ ledger }: QuotaFiles, kind: 'all' | 'pinned' | 'catalogs' | 'kept'): ListedObject[] {
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
  const wanted = {
    all: () => true,
    pinned: (hash: string) => pinned.has(hash),
    catalogs: (_hash: string, catalog: boolean) => catalog,
    kept: (hash: string, catalog: boolean) => catalog || pinned.has(hash),
  }[kind];
  return [...objects]
    .filter(([hash, { catalog }]) => wanted(hash, catalog))
    .map(([hash, { size, label }]) => ({ hash, size, label, pinned: pinned.has(hash) }));
}

/** Bytes on disk, as the keeper counted them, or by the ledger while nobody has. Throws the error of the system call. */
export function sizesOf(quota: Quota): { used: number; pinned: number } {
  const state = quota.state();
  if (state) return { used: state.used, pinned: state.pinned + state.catalogs };
  const sum = (objects: readonly ListedObject[]) => objects.reduce((bytes, { size }) => bytes + onDisk(size), 0);
  const { files } = quota;
  return { used: sum(listObjects(files, 'all')), pinned: sum(listObjects(files, 'kept')) };
}

/** How often the cache was cleaned up in the last `minutes`. */
export function cleanups({ ledger }: QuotaFiles, minutes: number): number {
  const since = Date.now() / 1000 - minutes * 60;
  return readIfThere(ledger)
    .split('\n')
    .map(parseLine)
    .filter((line) => line?.type === 'event' && line.word === 'cleanup' && line.seconds >= since).length;
}

/**
 * Removes what was not used for longest until no more than `bytes` remain. False: the rest is pinned, or not within `patience`
 * milliseconds.
 */
export async function cleanUp(quota: Quota, bytes: number, patience = 10_000): Promise<boolean> {
  quota.wantAtMost(bytes);
  // Others go on noting what they do: nobody ever reads all of that.
  const wish = quota.position();
  let last = { used: -1, since: 0 };
  for (const end = performance.now() + patience; performance.now() < end; await sleep(STEP_MS)) {
    const state = quota.state();
    if (!state || state.scanned === 0 || quota.isBehind(state, wish)) continue;
    if (state.used <= bytes) return true;
    if (state.used !== last.used) last = { used: state.used, since: performance.now() };
    else if (performance.now() - last.since > STILL_MS) return false;
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
