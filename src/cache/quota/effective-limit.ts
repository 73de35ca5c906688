// The limit that counts now: the one that was set, or what the disk has room for.
import { spareRoom } from './disk-room.ts';
import type { QuotaFiles } from './quota-files.ts';

/** The settings and the disk are looked at this often, in milliseconds. */
const VALID_MS = 200;

export class EffectiveLimit {
  readonly #files: QuotaFiles;
  readonly #directory: string;
  readonly #default: number;
  #since = -Infinity;
  #set = Infinity;
  #spare = Infinity;

  /** `directory`: of the objects. `limit`: bytes, where none was set (quota-files.ts). */
  constructor(files: QuotaFiles, directory: string, limit: number) {
    this.#files = files;
    this.#directory = directory;
    this.#default = limit;
  }

  /** Bytes, where the objects take `used`. */
  of(used: number): number {
    const time = performance.now();
    if (time - this.#since > VALID_MS) {
      this.#since = time;
      this.#set = this.#files.limit ?? this.#default;
      this.#spare = spareRoom(this.#directory);
    }
    return Math.min(this.#set, Math.max(0, used + this.#spare));
  }
}
