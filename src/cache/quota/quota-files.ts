// The files of a quota, in a directory `quota.v1` of the cache: the version is that of the protocol between processes.
// Another one, or the database of the reference client (`cachedb`), is left alone.
//
//   lock     held by the keeper (keeper-lock.ts)
//   ledger   what all processes note (ledger.ts)
//   state    what the keeper counted last (keeper-state.ts)
//   limit    bytes, set by `cvmfsexec cache limit`; counts more than CVMFS_QUOTA_LIMIT
//   full     its time is the last time that a process found the disk full
//   fetching  directory: what some process is fetching just now (fetch-claims.ts)
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';

export class QuotaFiles {
  readonly directory: string;

  /** `directory`: absolute. */
  constructor(directory: string) {
    this.directory = directory;
  }

  get lock(): string {
    return `${this.directory}/lock`;
  }

  get ledger(): string {
    return `${this.directory}/ledger`;
  }

  get state(): string {
    return `${this.directory}/state`;
  }

  get full(): string {
    return `${this.directory}/full`;
  }

  get fetching(): string {
    return `${this.directory}/fetching`;
  }

  get #limit(): string {
    return `${this.directory}/limit`;
  }

  /** Throws the error of the system call. */
  make(): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    closeSync(openSync(this.full, 'a', 0o600));
  }

  /** Tells the keeper that the disk is full: needs no room itself. */
  tellFull(): void {
    try {
      const now = new Date();
      utimesSync(this.full, now, now);
    } catch {
      // no keeper has ever been here
    }
  }

  /** Bytes; undefined: none was set. */
  get limit(): number | undefined {
    try {
      const text = readFileSync(this.#limit, 'latin1').trim();
      return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
    } catch {
      return undefined;
    }
  }

  /** undefined removes it. Throws the error of the system call. */
  set limit(bytes: number | undefined) {
    if (bytes === undefined) {
      rmSync(this.#limit, { force: true });
      return;
    }
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    // The old one holds until the new one is complete, also when this process is killed or the disk is full.
    const temporary = `${this.#limit}.${process.pid}`;
    try {
      writeFileSync(temporary, `${bytes}\n`, { mode: 0o600 });
      renameSync(temporary, this.#limit);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }
}

/** Where the files of a cache's quota are. */
export function quotaDirectory(cacheDirectory: string): string {
  return `${cacheDirectory}/quota.v1`;
}
