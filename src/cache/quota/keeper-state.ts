// What the keeper of a quota has counted: a file of fixed length that it overwrites in place, and that everybody may read at
// any time. Torn content is no JSON, and stale content does no harm.
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

export interface KeeperState {
  /** Of the ledger that was read, and how far. */
  readonly inode: number;
  readonly offset: number;
  /** Bytes on disk of all objects. */
  readonly used: number;
  /** Of these: what was pinned, and catalogs. */
  readonly pinned: number;
  readonly catalogs: number;
  readonly objects: number;
  /** Bytes; what the disk has room for counts as well. */
  readonly limit: number;
  /** When the directory itself was looked through last, milliseconds since 1970; 0: not yet. */
  readonly scanned: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

const LENGTH = 256;
const NUMBERS = ['inode', 'offset', 'used', 'pinned', 'catalogs', 'objects', 'limit', 'scanned', 'time'] as const;
const { O_RDONLY, O_RDWR, O_CREAT, O_NOFOLLOW } = constants;

export class StateFile {
  readonly #path: string;
  readonly #flags: number;
  #fd = -1;

  constructor(path: string, access: 'read' | 'write') {
    this.#path = path;
    this.#flags = (access === 'read' ? O_RDONLY : O_RDWR | O_CREAT) | O_NOFOLLOW;
  }

  /** Throws the error of the system call. */
  write(state: KeeperState): void {
    writeSync(this.#open(), `${JSON.stringify(state).padEnd(LENGTH - 1)}\n`, 0, 'latin1');
  }

  /** undefined: nobody has counted yet, or what is there cannot be read. */
  read(): KeeperState | undefined {
    try {
      const buffer = Buffer.alloc(LENGTH);
      const state = JSON.parse(buffer.toString('latin1', 0, readSync(this.#open(), buffer, 0, LENGTH, 0)));
      return NUMBERS.every((name) => typeof state?.[name] === 'number') ? state : undefined;
    } catch {
      return undefined;
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #open(): number {
    if (this.#fd < 0) this.#fd = openSync(this.#path, this.#flags, 0o600);
    return this.#fd;
  }
}
