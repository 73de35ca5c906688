// Of all processes that use a cache at once, one fetches an object, and the others wait for it: a hundred jobs that start
// together are one client to the proxy. Who fetches says so by a claim, a symbolic link (one system call) with the name of
// the hash in a directory of the node, best in memory. It is no lock: a claim whose owner was killed, is stopped, or gets no bytes any
// more counts for nothing soon, and nobody waits for the same object twice.
import { lstatSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContentHash } from '../objects/hash.ts';

/** An owner shows this often that it lives, milliseconds. */
const BEAT_MS = 500;
/** A claim that was not renewed while somebody watched it for so long is nobody's, milliseconds. */
const DEAD_MS = 1500;
/** One that is older, or of a clock that was set, is not watched at all, milliseconds. */
const VOID_MS = 10_000;
/** An owner to whom no bytes come for so long renews it no more, milliseconds. */
const STUCK_MS = 5000;
/** Nobody waits longer for others, milliseconds. */
const PATIENCE_MS = 60_000;
/** Claims are looked at after this time, and then less and less often, milliseconds. */
const [FIRST_LOOK_MS, LAST_LOOK_MS] = [1, 16];
/** Left by dead processes for objects that nobody wanted since, milliseconds. */
const LEFTOVER_MS = 30 * 60_000;

interface Held {
  /** Bytes that have come. */
  readonly progress: () => number;
  seen: number;
  /** By performance.now(). */
  movedAt: number;
}

export class FetchClaims {
  readonly #directory: string;
  readonly #held = new Map<string, Held>();
  #beat: NodeJS.Timeout | undefined;
  #unusable = false;

  /** `directory`: absolute, on a file system of this node; made when it is needed. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** False: another process is fetching it. `progress`: bytes that have come up to now. */
  take(hash: ContentHash, progress: () => number): boolean {
    if (this.#unusable) return true;
    try {
      this.#claim(this.#path(hash));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      // Without claims each fetches for itself.
      this.#unusable = true;
      return true;
    }
    this.#held.set(hash.toString(), { progress, seen: 0, movedAt: performance.now() });
    this.#beat ??= setInterval(() => this.#renew(), BEAT_MS).unref();
    return true;
  }

  /** The object is where others find it, or will not come. Nothing happens where there is no claim of this process. */
  release(hash: ContentHash): void {
    if (!this.#held.delete(hash.toString())) return;
    if (this.#held.size === 0) {
      clearInterval(this.#beat);
      this.#beat = undefined;
    }
    this.#remove(this.#path(hash));
  }

  releaseAll(): void {
    for (const hash of this.#held.keys()) this.#remove(`${this.#directory}/${hash}`);
    this.#held.clear();
    clearInterval(this.#beat);
    this.#beat = undefined;
  }

  /** Resolves when whoever fetches it has done so, or is not waited for any longer. `isOver`: wait no more. */
  async ended(hash: ContentHash, isOver: () => boolean): Promise<void> {
    const path = this.#path(hash);
    const deadline = performance.now() + PATIENCE_MS;
    let before: number | undefined;
    let unchanged = 0;
    for (let pause = FIRST_LOOK_MS; performance.now() < deadline; pause = Math.min(pause * 1.5, LAST_LOOK_MS)) {
      await sleep(pause);
      if (isOver()) return;
      const renewed = this.#renewedAt(path);
      if (renewed === undefined) return;
      // By looks and not by the clock: while this process stands still on a busy machine, so may the owner.
      unchanged = renewed === before ? unchanged + pause : 0;
      before = renewed;
      if (unchanged < DEAD_MS && Math.abs(Date.now() - renewed) < VOID_MS) continue;
      this.#remove(path);
      return;
    }
  }

  /** Removes what dead processes left. */
  sweep(): void {
    let names: string[] = [];
    try {
      names = readdirSync(this.#directory);
    } catch {
      // nobody has ever claimed anything
    }
    for (const name of names) {
      const path = `${this.#directory}/${name}`;
      if (Date.now() - (this.#renewedAt(path) ?? Date.now()) > LEFTOVER_MS) this.#remove(path);
    }
  }

  #path(hash: ContentHash): string {
    return `${this.#directory}/${hash}`;
  }

  #claim(path: string): void {
    try {
      symlinkSync('claim', path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      // Not `recursive`, which never ends where the system makes no directories.
      for (const directory of [dirname(this.#directory), this.#directory]) makeDirectory(directory);
      symlinkSync('claim', path);
    }
  }

  #renew(): void {
    const time = performance.now();
    const now = new Date();
    for (const [hash, held] of this.#held) {
      const count = held.progress();
      if (count !== held.seen) {
        held.seen = count;
        held.movedAt = time;
      }
      if (time - held.movedAt > STUCK_MS) continue;
      try {
        lutimesSync(`${this.#directory}/${hash}`, now, now);
      } catch {
        // somebody took it for dead
      }
    }
  }

  /** Milliseconds since 1970; undefined: there is no claim. */
  #renewedAt(path: string): number | undefined {
    try {
      return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
    } catch {
      return undefined;
    }
  }

  #remove(path: string): void {
    try {
      unlinkSync(path);
    } catch {
      // gone already
    }
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
