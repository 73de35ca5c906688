// The rules for one catalog that the reference's checker has (client.md §14.13, 3 to 6), written apart from the publisher:
// it reads with node:sqlite and hashes paths with node:crypto.
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

export interface Row {
  readonly key: string;
  readonly parentKey: string;
  readonly group: number;
  readonly links: number;
  readonly hash: string | undefined;
  readonly size: number;
  readonly mode: number;
  readonly mtime: string;
  readonly flags: number;
  readonly name: string;
  readonly symlink: string;
  readonly hasXattrs: boolean;
}

export interface ChunkRow {
  readonly offset: number;
  readonly size: number;
  readonly hash: string;
}

export interface Reference {
  readonly path: string;
  readonly hash: string;
  readonly size: number;
}

export interface CatalogData {
  readonly rows: readonly Row[];
  readonly chunks: ReadonlyMap<string, ChunkRow[]>;
  readonly nested: readonly Reference[];
  readonly bound: readonly Reference[];
  readonly statistics: ReadonlyMap<string, number>;
  readonly properties: ReadonlyMap<string, string>;
}

export const isDirectory = (row: Row) => (row.mode & 0o170000) === 0o040000;
export const isRegular = (row: Row) => (row.mode & 0o170000) === 0o100000;
export const isSymlink = (row: Row) => (row.mode & 0o170000) === 0o120000;
export const COUNTERS =
  'regular symlink special dir nested chunked chunks file_size chunked_size xattr external external_file_size'.split(
    ' ',
  );

const latin1 = (value: unknown) => Buffer.from(value as Uint8Array).toString('latin1');
const hex = (value: unknown) => (value === null ? undefined : Buffer.from(value as Uint8Array).toString('hex'));

export function readCatalog(file: string): CatalogData {
  const database = new DatabaseSync(file, { readOnly: true });
  const all = (sql: string) => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all();
  };
  const references = (table: string): Reference[] =>
    all(`SELECT CAST(path AS BLOB) AS path, sha1, size FROM ${table}`).map((row) => ({
      path: latin1(row.path),
      hash: String(row.sha1),
      size: Number(row.size),
    }));
  try {
    const chunks = new Map<string, ChunkRow[]>();
    for (const row of all('SELECT * FROM chunks ORDER BY offset')) {
      const key = `${row.md5path_1},${row.md5path_2}`;
      const list = chunks.get(key) ?? [];
      list.push({ offset: Number(row.offset), size: Number(row.size), hash: hex(row.hash) ?? '' });
      chunks.set(key, list);
    }
    return {
      rows: all('SELECT *, CAST(name AS BLOB) AS name_b, CAST(symlink AS BLOB) AS symlink_b FROM catalog').map(rowOf),
      chunks,
      nested: references('nested_catalogs'),
      bound: references('bind_mountpoints'),
      statistics: new Map(all('SELECT * FROM statistics').map((row) => [String(row.counter), Number(row.value)])),
      properties: new Map(
        all('SELECT key, CAST(value AS BLOB) AS value FROM properties').map((row) => [
          String(row.key),
          latin1(row.value),
        ]),
      ),
    };
  } finally {
    database.close();
  }
}

function rowOf(row: Record<string, unknown>): Row {
  const hardlinks = BigInt.asUintN(64, row.hardlinks as bigint);
  return {
    key: `${row.md5path_1},${row.md5path_2}`,
    parentKey: `${row.parent_1},${row.parent_2}`,
    group: Number(hardlinks >> 32n),
    links: Number(hardlinks & 0xffffffffn),
    hash: hex(row.hash),
    size: Number(row.size),
    mode: Number(row.mode),
    mtime: `${row.mtime}.${row.mtimens ?? 0}`,
    flags: Number(row.flags),
    name: latin1(row.name_b),
    symlink: row.symlink === null ? 'NULL' : latin1(row.symlink_b),
    hasXattrs: row.xattr !== null,
  };
}

export function pathKey(path: string): string {
  const digest = createHash('md5').update(Buffer.from(path, 'latin1')).digest();
  return `${digest.readBigInt64LE(0)},${digest.readBigInt64LE(8)}`;
}

/** Every problem of the catalog attached at `path`, and its rows by path. */
export function checkCatalog(path: string, catalog: CatalogData): { problems: string[]; byPath: Map<string, Row> } {
  const problems: string[] = [];
  const complain = (where: string, what: string) => problems.push(`${where || '/'}: ${what}`);
  const { rows, properties } = catalog;
  const children = Map.groupBy(rows, (row) => row.parentKey);
  const byPath = new Map<string, Row>();
  if ((properties.get('root_prefix') ?? '') !== path) complain(path, 'root_prefix is not its path');
  if (properties.get('schema') !== '2.5') complain(path, 'wrong schema');
  if (properties.get('schema_revision') !== '7') complain(path, 'wrong schema revision');
  const root = rows.find((row) => row.key === pathKey(path));
  if (root === undefined) return { problems: [`${path || '/'}: no root row`], byPath };
  if (!isDirectory(root)) complain(path, 'root row is no directory');
  if (((root.flags & 32) !== 0) !== (path !== '')) complain(path, 'flag 32 of the root row is wrong');
  const parentOfRoot = path === '' ? '0,0' : pathKey(path.slice(0, path.lastIndexOf('/')));
  if (root.parentKey !== parentOfRoot) complain(path, 'root row has another parent');
  const mountpoints = new Set([...catalog.nested, ...catalog.bound].map((reference) => reference.path));
  const pending: [string, Row][] = [[path, root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [at, row] = next;
    if (byPath.has(at)) complain(at, 'listed twice');
    byPath.set(at, row);
    if (row.key !== pathKey(at)) complain(at, 'md5path is not that of its path');
    const names = isDirectory(row) ? (children.get(row.key) ?? []).filter((child) => child !== row) : [];
    for (const child of names) pending.push([`${at}/${child.name}`, child]);
    for (const problem of checkRow(row, catalog, at === path)) complain(at, problem);
    const isMountpoint = (row.flags & (2 | 0x4000)) !== 0 && at !== path;
    if (isMountpoint !== (mountpoints.has(at) && at !== path))
      complain(at, 'mountpoint without reference, or the reverse');
    if (isMountpoint && names.length > 0) complain(at, 'rows below a mountpoint');
    if (isDirectory(row) && !isMountpoint) {
      const expected = 2 + names.filter(isDirectory).length;
      if (row.links !== expected) complain(at, `link count ${row.links} instead of ${expected}`);
    }
    for (const problem of checkGroups(names)) complain(at, problem);
    const marked = names.some((child) => child.name === '.cvmfscatalog');
    if (path !== '' && at === path && !marked) complain(at, 'nested catalog without marker');
    if (at !== path && marked) complain(at, 'marker in a directory that is no nested catalog');
  }
  if (byPath.size !== rows.length) complain(path, `${rows.length - byPath.size} rows cannot be reached`);
  if (rows.filter((row) => row.flags & 2).length !== catalog.nested.length) complain(path, 'nested rows do not add up');
  return { problems, byPath };
}

function checkRow(row: Row, catalog: CatalogData, isRoot: boolean): string[] {
  const problems: string[] = [];
  const demand = (truth: boolean, what: string) => truth || problems.push(what);
  demand((row.name === '') === (isRoot && row.parentKey === '0,0'), 'empty name');
  demand(row.links > 0, 'link count 0');
  demand(row.symlink !== 'NULL', 'symlink is NULL');
  demand((row.flags & 0x4002) !== 0x4002, 'both bind and nested mountpoint');
  const chunks = catalog.chunks.get(row.key) ?? [];
  if (!isRegular(row)) {
    demand(row.hash === undefined, 'hash on something that is no file');
    demand((row.flags & 0x100c0) === 0, 'external, chunked or direct-io but no file');
    demand(isDirectory(row) || row.links === 1, 'link count');
  }
  if (!isSymlink(row)) demand(row.symlink === '', 'target on something that is no symlink');
  if (isSymlink(row)) demand(row.symlink !== '' && row.size === row.symlink.length, 'symlink without target or size');
  if ((row.flags & 64) === 0) {
    demand(!isRegular(row) || row.hash?.length === 40, 'regular file without hash');
    demand(chunks.length === 0, 'chunks of an unchunked file');
    return problems;
  }
  demand(chunks.length > 0, 'chunked without chunks');
  let offset = 0;
  for (const chunk of chunks) {
    demand(chunk.offset === offset && chunk.size > 0 && chunk.hash.length === 40, 'gap between chunks');
    offset += chunk.size;
  }
  demand(offset === row.size, 'chunks do not add up to the size');
  return problems;
}

/** Hard link rules among the names of one directory. */
function checkGroups(names: readonly Row[]): string[] {
  const problems: string[] = [];
  const groups = Map.groupBy(
    names.filter((row) => row.group !== 0),
    (row) => row.group,
  );
  const attributes = ({ links, hash, size, mode, mtime, flags }: Row) => [links, hash, size, mode, mtime, flags].join();
  for (const [group, members] of groups) {
    if (members[0]!.links !== members.length) problems.push(`hard link group ${group} is not complete`);
    if (new Set(members.map(attributes)).size !== 1) problems.push(`hard link group ${group} is not uniform`);
  }
  const stray = names.some((row) => row.group === 0 && row.links > 1 && !isDirectory(row));
  if (stray) problems.push('link count above 1 without a group');
  return problems;
}

/** The self_ counters as they follow from the rows. */
export function countRows({ rows, chunks, nested }: CatalogData): Map<string, number> {
  const counters = new Map(COUNTERS.map((name) => [name, 0]));
  const add = (name: string, value: number) => counters.set(name, counters.get(name)! + value);
  for (const row of rows) {
    if (row.hasXattrs) add('xattr', 1);
    if (isDirectory(row)) add('dir', 1);
    else if (isSymlink(row)) add('symlink', 1);
    else if (!isRegular(row)) add('special', 1);
    else {
      add('regular', 1);
      add('file_size', row.size);
      if (row.flags & 128) add('external', 1);
      if (row.flags & 128) add('external_file_size', row.size);
      if (row.flags & 64) add('chunked', 1);
      if (row.flags & 64) add('chunked_size', row.size);
      add('chunks', (row.flags & 64 ? chunks.get(row.key) : undefined)?.length ?? 0);
    }
  }
  counters.set('nested', nested.length);
  return counters;
}
