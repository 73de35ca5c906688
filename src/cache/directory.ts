// A cache directory on local disk in the reference's layout (client.md §6.2):
//
//   00 … ff/<rest of the hash><-algorithm>   objects, uncompressed, without type letter
//   txn/                                     temporary files
//   .cvmfscache                              empty marker
//   quota.v1/                                accounts (quota/quota-files.ts)
//
// Any number of processes use it at once: objects appear by rename and are never changed, reading takes no lock.
// A file is believed because nobody but its owner can write it, or because the user named a directory that others fill;
// its size is compared where it is known. Files get a time of whole seconds when they are complete: one with another time was
// changed since, or comes from somewhere else, and is compared with its checksum when it is opened, where one was noted.
import * as fs from 'node:fs';
import type { ContentHash } from '../objects/hash.ts';
import { checksumOfFile, isSealed, seal } from './checksum.ts';
import { isEmptyObject } from './empty-object.ts';
import { CacheError, notStored, reasonOf } from './errors.ts';
import { FileObject } from './local-object.ts';
import type { DirectoryCache } from './settings.ts';
import { sweepTemporaryFiles, TemporaryFile } from './temporary-file.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
/** Never through a link; a pipe in the way must not block. */
const OPEN_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

export type ChecksumOf = (hash: ContentHash) => number | undefined;

export class CacheDirectory {
  /** Absolute or relative to the working directory at the time of use: give an absolute one. */
  readonly path: string;

  /** Nothing can be stored in it, and nothing is tried to. */
  readonly readOnly: boolean;
  /** Others of the group use it as well (client.md §6.5). */
  readonly #alien: boolean;
  /** Of what was stored; undefined: not known. */
  #checksumOf: ChecksumOf = () => undefined;

  private constructor(path: string, alien: boolean, readOnly: boolean) {
    this.path = path;
    this.#alien = alien;
    this.readOnly = readOnly;
  }

  /**
   * Opens a cache, making the directory if it does not exist (0700; alien: 0770); its inside is made when something is
   * stored.
   * Throws CacheError UNUSABLE when that fails, FOREIGN when a private one belongs to somebody else or is open to all.
   */
  static open(path: string, access: DirectoryCache['access'] = 'private'): CacheDirectory {
    let stat: fs.Stats;
    let link: fs.Stats;
    try {
      if (access !== 'read-only') fs.mkdirSync(path, { recursive: true, mode: access === 'alien' ? 0o770 : 0o700 });
      stat = fs.statSync(path);
      link = fs.lstatSync(path);
      if (!stat.isDirectory()) throw new Error('it is not a directory');
    } catch (error) {
      throw new CacheError(
        'UNUSABLE',
        `cannot use the cache directory ${path}: ${reasonOf(error)} (set CVMFS_CACHE_BASE to a writable directory)`,
        error,
      );
    }
    if (access !== 'private') return new CacheDirectory(path, true, access === 'read-only' || !isWritable(path));
    const user = process.geteuid?.();
    const stranger = [stat.uid, link.uid].find((owner) => owner !== user);
    if (stranger !== undefined) {
      throw new CacheError(
        'FOREIGN',
        `the cache directory ${path} belongs to user ${stranger}, not to ${user} (set CVMFS_CACHE_BASE to a directory of your own)`,
      );
    }
    if (stat.mode & 0o002) {
      throw new CacheError(
        'FOREIGN',
        `everybody can write to the cache directory ${path} (set CVMFS_CACHE_BASE to a private directory)`,
      );
    }
    if (stat.mode & 0o077) {
      try {
        fs.chmodSync(path, 0o700);
      } catch {
        // read-only file system: nobody writes
      }
    }
    return new CacheDirectory(path, false, false);
  }

  /** With these, files that were changed after they were stored are told from sound ones. */
  withChecksums(checksumOf: ChecksumOf): this {
    this.#checksumOf = checksumOf;
    return this;
  }

  /** The path of an object's file, whether it exists or not. */
  objectPath(hash: ContentHash): string {
    return `${this.path}/${hash.hex.slice(0, 2)}/${hash.tail}`;
  }

  /**
   * Opens an object; undefined if it is not there. An entry that cannot be right, being empty or not of `size` bytes, is removed.
   * Throws CacheError TOO_MANY_FILES.
   */
  open(hash: ContentHash, size?: number): FileObject | undefined {
    const path = this.objectPath(hash);
    // Asked first, as a failing open costs four times as much as this.
    const stat = statOf(path);
    if (!stat) return undefined;
    if (!stat.isFile() || !fits(hash, stat.size, size)) {
      this.remove(hash);
      return undefined;
    }
    if (!isSealed(stat) && !this.#isSound(hash, path)) {
      this.remove(hash);
      return undefined;
    }
    try {
      return new FileObject(fs.openSync(path, OPEN_FLAGS), stat.size);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EMFILE' || code === 'ENFILE') {
        throw new CacheError(
          'TOO_MANY_FILES',
          'too many open files (raise the limit of open files, CVMFS_NFILES)',
          error,
        );
      }
      // Whatever else is wrong with the file, the network has the object.
      return undefined;
    }
  }

  /** An object is there, and of `size` bytes where that is known. */
  has(hash: ContentHash, size?: number): boolean {
    const stat = statOf(this.objectPath(hash));
    return stat?.isFile() === true && fits(hash, stat.size, size);
  }

  /** What was noted when it was stored is still so; a file of which nothing is known counts as sound. */
  #isSound(hash: ContentHash, path: string): boolean {
    const expected = this.#checksumOf(hash);
    if (expected === undefined) return true;
    try {
      if (checksumOfFile(path) !== expected) return false;
      seal(path);
    } catch {
      // Whoever opens it gets the reason.
    }
    return true;
  }

  remove(hash: ContentHash): void {
    try {
      fs.unlinkSync(this.objectPath(hash));
    } catch {
      // gone already, or not ours to remove: the next store replaces it
    }
  }

  /** Stores a small object in one go. Throws CacheError NOT_STORED. */
  store(hash: ContentHash, bytes: Uint8Array): void {
    const file = this.create();
    try {
      file.write(bytes);
      this.commit(file, hash);
    } catch (error) {
      file.discard();
      throw notStored(this.path, error);
    }
  }

  /** Makes a complete temporary file visible as an object. Throws CacheError NOT_STORED. */
  commit(file: TemporaryFile, hash: ContentHash): void {
    const path = this.objectPath(hash);
    try {
      try {
        file.commit(path, this.#alien ? 0o660 : undefined);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        // One of the 256 directories was removed.
        this.#makeSkeleton();
        file.commit(path, this.#alien ? 0o660 : undefined);
      }
    } catch (error) {
      file.discard();
      throw notStored(this.path, error);
    }
  }

  /** Removes what dead processes left; for a quiet moment. Returns how many files. */
  sweep(now = Date.now()): number {
    return sweepTemporaryFiles(`${this.path}/txn`, now);
  }

  /** A new temporary file, to become an object by `commit`. Throws CacheError NOT_STORED. */
  create(): TemporaryFile {
    const directory = `${this.path}/txn`;
    try {
      return TemporaryFile.create(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw notStored(this.path, error);
    }
    try {
      this.#makeSkeleton();
      return TemporaryFile.create(directory);
    } catch (error) {
      throw notStored(this.path, error);
    }
  }

  /** Several processes may do this at once; `txn` comes last as it is what is looked for. */
  #makeSkeleton(): void {
    const mode = this.#alien ? 0o770 : 0o700;
    fs.mkdirSync(this.path, { recursive: true, mode });
    for (let i = 0; i < 256; i++) makeDirectory(`${this.path}/${i.toString(16).padStart(2, '0')}`, mode);
    makeMarker(`${this.path}/.cvmfscache`);
    makeDirectory(`${this.path}/txn`, mode);
  }
}

/** Of the entry itself, not of what a link points to; undefined if there is none or it cannot be seen. */
function statOf(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function makeDirectory(path: string, mode: number): void {
  unlessThere(() => {
    fs.mkdirSync(path, mode);
    // Whatever the umask is: the group has to get in. What makes files belong to the group of a project's directory stays.
    if (mode !== 0o700) fs.chmodSync(path, (fs.statSync(path).mode & 0o2000) | mode);
  });
}

/** That of another user cannot even be opened. */
function makeMarker(path: string): void {
  unlessThere(() => fs.closeSync(fs.openSync(path, fs.constants.O_CREAT | fs.constants.O_EXCL, 0o600)));
}

function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function isWritable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.W_OK | fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function fits(hash: ContentHash, actual: number, expected: number | undefined): boolean {
  if (expected !== undefined) return actual === expected;
  return actual > 0 || isEmptyObject(hash);
}
