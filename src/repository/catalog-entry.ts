// One row of a catalog's main table, decoded. Names and targets are bytes, one a character.
import type { ContentHash, HashAlgorithm } from '../objects/hash.ts';
import type { Compression } from '../objects/object.ts';
import type { Row } from '../sqlite/row.ts';
import type { Table } from '../sqlite/table.ts';
import { compressionOf, hashAlgorithmOf } from './entry-flags.ts';
import { RepositoryError } from './errors.ts';
import type { PathHash } from './path-hash.ts';

/** Numbers of the columns; -1 for one that this catalog's schema revision does not have. */
export interface EntryColumns {
  readonly md5path1: number;
  readonly md5path2: number;
  readonly parent1: number;
  readonly parent2: number;
  readonly hardlinks: number;
  readonly hash: number;
  readonly size: number;
  readonly mode: number;
  readonly mtime: number;
  readonly mtimeNs: number;
  readonly flags: number;
  readonly name: number;
  readonly symlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattr: number;
}

/** By name, since databases upgraded in place have them in another order (client.md §3.1, §3.2). */
export function entryColumns(table: Table, schemaRevision: number): EntryColumns {
  const required = (name: string): number => {
    const column = table.column(name);
    if (column < 0) throw new RepositoryError('BadCatalog', `the catalog's main table has no column ${name}`);
    return column;
  };
  return {
    md5path1: required('md5path_1'),
    md5path2: required('md5path_2'),
    parent1: required('parent_1'),
    parent2: required('parent_2'),
    hardlinks: required('hardlinks'),
    hash: required('hash'),
    size: required('size'),
    mode: required('mode'),
    mtime: required('mtime'),
    mtimeNs: schemaRevision >= 7 ? required('mtimens') : -1,
    flags: required('flags'),
    name: required('name'),
    symlink: required('symlink'),
    uid: required('uid'),
    gid: required('gid'),
    xattr: schemaRevision >= 2 ? required('xattr') : -1,
  };
}

/** Where an entry gets its content hash from, when asked. */
export interface HashSource {
  hashOf(rowid: number, algorithm: HashAlgorithm): ContentHash | undefined;
}

/** The hash of the entry's own path is in `hi1` to `lo2`: an entry can be looked up by itself. */
export class CatalogEntry implements PathHash {
  readonly rowid: number;
  /** Last component of the path, '' for the repository root. */
  readonly name: string;
  /** As in st_mode. */
  readonly mode: number;
  /** Bytes; of a device its number (client.md §5.3); meaningless for directories and symlinks. */
  readonly size: number;
  /** Seconds since 1970, may be negative. */
  readonly mtime: number;
  /** 0 to 999999999. */
  readonly mtimeNs: number;
  /** See entry-flags.ts. */
  readonly flags: number;
  readonly linkCount: number;
  /** 0: none. Unique within the catalog. */
  readonly hardlinkGroup: number;
  readonly uid: number;
  readonly gid: number;
  /** Target with its variables unexpanded; '' for everything but a symlink. */
  readonly symlink: string;
  readonly hi1: number;
  readonly lo1: number;
  readonly hi2: number;
  readonly lo2: number;
  readonly parentHi1: number;
  readonly parentLo1: number;
  readonly parentHi2: number;
  readonly parentLo2: number;
  readonly #hashes: HashSource;

  constructor(row: Row, columns: EntryColumns, hashes: HashSource) {
    this.rowid = row.rowid;
    this.name = row.latin1(columns.name);
    this.mode = row.integer(columns.mode);
    this.size = row.integer(columns.size);
    this.mtime = row.integer(columns.mtime);
    this.mtimeNs = columns.mtimeNs < 0 || row.isNull(columns.mtimeNs) ? 0 : nanoseconds(row.integer(columns.mtimeNs));
    this.flags = row.integer(columns.flags);
    this.linkCount = row.low(columns.hardlinks) >>> 0;
    this.hardlinkGroup = row.high(columns.hardlinks) >>> 0;
    this.uid = row.integer(columns.uid) >>> 0;
    this.gid = row.integer(columns.gid) >>> 0;
    this.symlink = row.latin1(columns.symlink);
    this.hi1 = row.high(columns.md5path1);
    this.lo1 = row.low(columns.md5path1);
    this.hi2 = row.high(columns.md5path2);
    this.lo2 = row.low(columns.md5path2);
    this.parentHi1 = row.high(columns.parent1);
    this.parentLo1 = row.low(columns.parent1);
    this.parentHi2 = row.high(columns.parent2);
    this.parentLo2 = row.low(columns.parent2);
    this.#hashes = hashes;
    if (this.size < 0 || row.isNull(columns.symlink)) {
      throw new RepositoryError('BadCatalog', `row ${this.rowid} has a negative size or no text for a link target`);
    }
  }

  /** Algorithm of the content hash and of the chunks' hashes. @throws RepositoryError BadCatalog */
  get algorithm(): HashAlgorithm {
    return hashAlgorithmOf(this.flags) ?? this.#unknown('hash algorithm');
  }

  /** How the content's objects are stored. @throws RepositoryError BadCatalog */
  get compression(): Compression {
    return compressionOf(this.flags) ?? this.#unknown('compression');
  }

  /** Object of the whole content; undefined when the row names none, as for chunked files. @throws RepositoryError BadCatalog */
  get hash(): ContentHash | undefined {
    return this.#hashes.hashOf(this.rowid, this.algorithm);
  }

  #unknown(what: string): never {
    throw new RepositoryError('BadCatalog', `the entry ${this.name} has an unknown ${what} (flags ${this.flags})`);
  }
}

function nanoseconds(value: number): number {
  return value >= 0 && value < 1_000_000_000 ? value : 0;
}
