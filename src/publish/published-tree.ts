// The newest revision as a tree of entries, read from its catalogs: what is published next is this with changes.
import type { DatabaseSync } from 'node:sqlite';
import { ContentHash, type HashAlgorithm } from '../objects/hash.ts';
import type { Compression } from '../objects/object.ts';
import {
  compressionOf,
  FLAG_CHUNKED,
  FLAG_DIRECT_IO,
  FLAG_EXTERNAL,
  FLAG_NESTED_MOUNTPOINT,
  hashAlgorithmOf,
} from '../repository/entry-flags.ts';
import { pathKey } from './catalog-file.ts';
import { PublishError } from './errors.ts';
import type { ObjectFiles } from './object-files.ts';
import { nestedCatalogs, withCatalog } from './previous-catalogs.ts';
import type { CatalogReference, Chunk, Content, EntryKind, TreeEntry } from './tree-entry.ts';

const S_IFMT = 0o170000;
const KINDS = new Map<number, EntryKind>([
  [0o040000, 'directory'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
]);
/** Made anew by each publication. */
const SNAPSHOTS = '/.cvmfs';

interface Row {
  readonly key1: bigint;
  readonly key2: bigint;
  readonly parent1: bigint;
  readonly parent2: bigint;
  readonly hardlinks: bigint;
  readonly hash: Uint8Array | null;
  readonly size: bigint;
  readonly mode: bigint;
  readonly mtime: bigint;
  readonly mtimens: bigint | null;
  readonly flags: bigint;
  readonly name: Uint8Array | null;
  readonly symlink: Uint8Array | null;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly xattr: Uint8Array | null;
}

interface ChunkColumns {
  readonly offset: bigint;
  readonly hash: Uint8Array;
}

const ROWS = `SELECT md5path_1 AS key1, md5path_2 AS key2, parent_1 AS parent1, parent_2 AS parent2, hardlinks, hash, size, mode,
  mtime, mtimens, flags, CAST(name AS BLOB) AS name, CAST(symlink AS BLOB) AS symlink, uid, gid, xattr FROM catalog`;
const CHUNKS = `SELECT md5path_1 AS key1, md5path_2 AS key2, chunks.offset, chunks.size, chunks.hash, flags
  FROM chunks JOIN catalog USING (md5path_1, md5path_2) ORDER BY 1, 2, chunks.offset`;

/** @throws PublishError DAMAGED, TREE for what this publisher could not publish again */
export function readPublishedTree(objects: ObjectFiles, root: CatalogReference, compression: Compression): TreeEntry {
  let tree: TreeEntry | undefined;
  const pending: { path: string; reference: CatalogReference; mountpoint?: TreeEntry }[] = [
    { path: '', reference: root },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, reference, mountpoint } = next;
    withCatalog(objects, reference.hash, (database) => {
      const catalog = new CatalogRows(database, path, compression);
      const top = mountpoint ?? catalog.root();
      tree ??= top;
      const nested = new Map(nestedCatalogs(database));
      for (const directory of catalog.attachBelow(top)) {
        const child = nested.get(directory.path);
        if (!child)
          throw new PublishError('DAMAGED', `the nested catalog at ${directory.path} is not named in its parent`);
        pending.push({ path: directory.path, reference: child, mountpoint: directory });
      }
    });
  }
  if (!tree) throw new RangeError('there is always a root catalog');
  return tree;
}

class CatalogRows {
  readonly #path: string;
  readonly #compression: Compression;
  readonly #byParent = new Map<string, Row[]>();
  readonly #chunks = new Map<string, Chunk[]>();
  readonly #rows: readonly Row[];

  constructor(database: DatabaseSync, path: string, compression: Compression) {
    this.#path = path;
    this.#compression = compression;
    const all = database.prepare(ROWS);
    all.setReadBigInts(true);
    this.#rows = all.all() as unknown as Row[];
    for (const row of this.#rows) push(this.#byParent, `${row.parent1},${row.parent2}`, row);
    const chunks = database.prepare(CHUNKS);
    chunks.setReadBigInts(true);
    for (const chunk of chunks.iterate() as Iterable<Pick<Row, 'key1' | 'key2' | 'size' | 'flags'> & ChunkColumns>) {
      const hash = ContentHash.fromDigest(algorithmOf(Number(chunk.flags)), chunk.hash);
      const piece = { offset: Number(chunk.offset), size: Number(chunk.size), hash };
      push(this.#chunks, `${chunk.key1},${chunk.key2}`, piece);
    }
  }

  root(): TreeEntry {
    const [key1, key2] = pathKey(this.#path);
    const row = this.#rows.find((candidate) => candidate.key1 === key1 && candidate.key2 === key2);
    if (!row) throw new PublishError('DAMAGED', 'the root catalog has no row for its root');
    return this.#entry(row, undefined);
  }

  /** Adds what the catalog holds below `top`. Returns the directories where others go on. */
  attachBelow(top: TreeEntry): TreeEntry[] {
    const mountpoints: TreeEntry[] = [];
    const pending = [top];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      const [key1, key2] = pathKey(directory.path);
      for (const row of this.#byParent.get(`${key1},${key2}`) ?? []) {
        // The root's own row is its parent's, too.
        if (row.key1 === key1 && row.key2 === key2) continue;
        const entry = this.#entry(row, directory);
        if (entry.path === SNAPSHOTS) continue;
        directory.children.push(entry);
        if (entry.kind !== 'directory') continue;
        if (Number(row.flags) & FLAG_NESTED_MOUNTPOINT) mountpoints.push(entry);
        else pending.push(entry);
      }
      directory.children.sort((a, b) => (a.name < b.name ? -1 : 1));
    }
    return mountpoints;
  }

  #entry(row: Row, parent: TreeEntry | undefined): TreeEntry {
    const name = parent === undefined ? '' : latin1(row.name);
    const path = parent === undefined ? '' : `${parent.path}/${name}`;
    const mode = Number(row.mode);
    const kind = KINDS.get(mode & S_IFMT) ?? 'special';
    const group = row.hardlinks >> 32n;
    return {
      path,
      name,
      parent,
      kind,
      mode,
      uid: Number(row.uid),
      gid: Number(row.gid),
      size: Number(row.size),
      mtime: row.mtime,
      mtimeNs: Number(row.mtimens ?? 0n),
      inode: kind === 'file' && group !== 0n ? `published:${this.#path}:${group}` : '',
      target: kind === 'symlink' ? latin1(row.symlink) : '',
      xattrs: row.xattr ?? undefined,
      children: [],
      content: kind === 'file' ? this.#content(row, path) : undefined,
      linkGroup: 0,
      linkCount: 1,
      extraFlags: 0,
    };
  }

  #content(row: Row, path: string): Content {
    const flags = Number(row.flags);
    if (flags & (FLAG_EXTERNAL | FLAG_DIRECT_IO) || compressionOf(flags) !== this.#compression) {
      throw new PublishError('TREE', `${path} was published in another way than now: publish the whole tree`);
    }
    if (flags & FLAG_CHUNKED) return { chunks: this.#chunks.get(`${row.key1},${row.key2}`) ?? [] };
    if (!row.hash) throw new PublishError('DAMAGED', `the catalog has no hash of ${path}`);
    return { hash: ContentHash.fromDigest(algorithmOf(flags), row.hash) };
  }
}

function algorithmOf(flags: number): HashAlgorithm {
  const algorithm = hashAlgorithmOf(flags);
  if (!algorithm) throw new PublishError('DAMAGED', 'a catalog names a hash that does not exist');
  return algorithm;
}

function latin1(bytes: Uint8Array | null): string {
  return bytes ? Buffer.from(bytes).toString('latin1') : '';
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
