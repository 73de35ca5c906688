// The objects of a repository directory: files named by the hash of what is in them. They never change, so writing is
// a temporary file and a rename, and what exists is left alone.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate, inflateSync } from 'node:zlib';
import { ContentHash, type HashAlgorithm } from '../objects/hash.ts';
import { type Compression, type ObjectLetter, objectPath } from '../objects/object.ts';
import { PublishError, reason } from './errors.ts';

const compress = promisify(deflate);
/** Public: a web server has to read it. */
const FILE_MODE = 0o644;

let temporaryNumber = 0;

export class ObjectFiles {
  readonly directory: string;
  readonly algorithm: HashAlgorithm;
  readonly #scratch: string;
  /** Objects that did not exist before, and their stored bytes. */
  written = 0;
  writtenBytes = 0;

  /** `scratch` is a directory for temporary files; readers, who need not have the right to write, bring their own. */
  constructor(directory: string, algorithm: HashAlgorithm, scratch: string = join(directory, 'data/txn')) {
    this.directory = directory;
    this.algorithm = algorithm;
    this.#scratch = scratch;
  }

  /** Makes the 256 directories of a new repository, and that of temporary files. */
  static makeDirectories(directory: string): void {
    for (let i = 0; i < 256; i++)
      mkdirSync(join(directory, 'data', i.toString(16).padStart(2, '0')), { recursive: true });
    mkdirSync(join(directory, 'data/txn'), { recursive: true });
  }

  /** Stores an object unless it exists. Its hash is over the bytes as they are stored (client.md §2.6). */
  async store(content: Uint8Array, letter: ObjectLetter, compression: Compression = 'zlib'): Promise<ContentHash> {
    const stored = compression === 'zlib' ? await compress(content) : content;
    const hash = ContentHash.of(this.algorithm, stored);
    const path = join(this.directory, objectPath({ hash, letter }));
    if (!existsSync(path)) {
      writeAtomically(this.directory, path, stored);
      this.written++;
      this.writtenBytes += stored.length;
    }
    return hash;
  }

  /** The content of a zlib-compressed object. @throws PublishError DAMAGED */
  read(hash: ContentHash, letter: ObjectLetter): Buffer {
    const path = join(this.directory, objectPath({ hash, letter }));
    try {
      const stored = readFileSync(path);
      if (!ContentHash.of(hash.algorithm, stored).equals(hash)) throw new Error('its content has another hash');
      return inflateSync(stored);
    } catch (error) {
      throw new PublishError('DAMAGED', `cannot read the object ${path}: ${reason(error)}`, error);
    }
  }

  /** A name for a temporary file; what a crash leaves of it is removed by the next publication. */
  temporary(): string {
    return temporaryIn(this.#scratch);
  }

  /** Removes what interrupted publications left. Only for the holder of the lock. */
  removeTemporaries(keep: string): void {
    const directory = join(this.directory, 'data/txn');
    for (const name of readdirSync(directory)) {
      if (!name.startsWith(keep)) rmSync(join(directory, name), { recursive: true, force: true });
    }
  }
}

/** Replaces a file of the repository at once: readers see the old one or the new one. */
export function writeAtomically(directory: string, path: string, data: Uint8Array): void {
  const temporary = temporaryIn(join(directory, 'data/txn'));
  try {
    writeFileSync(temporary, data, { mode: FILE_MODE, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new PublishError('IO', `cannot write ${path}: ${reason(error)}`, error);
  }
}

function temporaryIn(scratch: string): string {
  return join(scratch, `${process.pid}-${temporaryNumber++}`);
}
