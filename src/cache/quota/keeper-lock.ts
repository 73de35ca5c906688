// Who keeps the quota of a cache: the process that holds a lock on a file of the cache's. The kernel frees it when the
// process ends in any way. Node has no file locks of its own; SQLite takes one (fcntl), across containers too, and none is
// ever left behind. The database stays empty.
import type { DatabaseSync } from 'node:sqlite';

export class KeeperLock {
  readonly #path: string;
  #database: DatabaseSync | undefined;
  #held = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the lock unless another process has it; never waits. Throws where locks do not work. */
  take(): boolean {
    if (this.#held) return true;
    const database = this.#open();
    try {
      database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
      this.#held = true;
      return true;
    } catch (error) {
      const { errcode } = error as { errcode?: number };
      if (errcode !== BUSY) throw error;
      return false;
    }
  }

  close(): void {
    this.#held = false;
    this.#database?.close();
    this.#database = undefined;
  }

  #open(): DatabaseSync {
    if (!this.#database) {
      const sqlite = process.getBuiltinModule('node:sqlite');
      this.#database = new sqlite.DatabaseSync(this.#path, { timeout: 0 });
    }
    return this.#database;
  }
}

const BUSY = 5;
