// A repository listed from its catalogs alone, in the form of the fixtures' listings.
import { createHash } from 'node:crypto';
import type { ContentHash } from '../../src/objects/hash.ts';
import { Catalog, type CatalogEntry } from '../../src/repository/catalog.ts';
import { FLAG_CHUNKED, FLAG_EXTERNAL, FLAG_HIDDEN } from '../../src/repository/entry-flags.ts';
import { hashPath, newPathHash } from '../../src/repository/path-hash.ts';
import { expandVariables } from '../../src/repository/variant-symlink.ts';
import type { TestRepository } from './fixtures.ts';

/** One line of a listing, as the fixtures have it, without what is undefined. */
export type ListedEntry = Record<string, unknown>;

const TYPES: ReadonlyMap<number, string> = new Map([
  [0o040000, 'dir'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
  [0o020000, 'char'],
  [0o060000, 'block'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
]);

/** A line of the fixtures, with its path and target in Latin-1. */
export function fixtureEntry(line: string): ListedEntry {
  const { path_b64: bytes, ...entry } = JSON.parse(line);
  for (const key of ['path', 'target', 'raw_target']) {
    if (entry[key] !== undefined) entry[key] = Buffer.from(entry[key], 'utf8').toString('latin1');
  }
  return bytes ? { ...entry, path: Buffer.from(bytes, 'base64').toString('latin1') } : entry;
}

/** Sorted by path; hidden entries are left out. */
export async function listRepository(repository: TestRepository, root: ContentHash): Promise<ListedEntry[]> {
  const listed: ListedEntry[] = [];
  await list(repository, await openCatalog(repository, root), '', '', listed);
  return listed.sort((a, b) => Buffer.compare(bytesOf(a.path), bytesOf(b.path)));
}

export async function openCatalog(repository: TestRepository, hash: ContentHash): Promise<Catalog> {
  return Catalog.open(await repository.object(hash, 'C'), hash);
}

/** Every catalog of a revision, bind-mounted ones included. */
export async function allCatalogs(repository: TestRepository, root: ContentHash): Promise<Catalog[]> {
  const catalog = await openCatalog(repository, root);
  const found = [catalog];
  for (const { hash } of catalog.nested.values()) found.push(...(await allCatalogs(repository, hash)));
  return found;
}

/** `path`: of a directory in the mount; `databasePath`: as the catalog spells it. */
async function list(
  repository: TestRepository,
  catalog: Catalog,
  path: string,
  databasePath: string,
  into: ListedEntry[],
) {
  const hash = newPathHash();
  hashPath(databasePath, hash);
  if (path === '') into.push(await describe(repository, catalog, catalog.row(catalog.lookup(hash))!, '/'));
  const rows: number[] = [];
  catalog.children(hash, rows);
  for (const rowid of rows) {
    const entry = catalog.row(rowid)!;
    if ((entry.flags & FLAG_HIDDEN) !== 0) continue;
    const child = `${databasePath}/${entry.name}`;
    into.push(await describe(repository, catalog, entry, `${path}/${entry.name}`));
    if ((entry.mode & 0o170000) !== 0o040000) continue;
    const nested = catalog.nested.get(child);
    const inner = nested ? await openCatalog(repository, nested.hash) : catalog;
    await list(repository, inner, `${path}/${entry.name}`, nested ? inner.rootPrefix : child, into);
  }
}

async function describe(repository: TestRepository, catalog: Catalog, entry: CatalogEntry, path: string) {
  const type = TYPES.get(entry.mode & 0o170000);
  const target = expandVariables(entry.symlink, { CVMFS_FQRN: '', CVMFS_ARCH: 'x86_64' });
  const published = catalog.xattrs(entry.rowid);
  const all: ListedEntry = {
    path,
    type,
    mode: (entry.mode & 0o7777).toString(8).padStart(4, '0'),
    uid: entry.uid,
    gid: entry.gid,
    size: type === 'file' ? entry.size : type === 'symlink' ? target.length : undefined,
    mtime: entry.mtime,
    mtime_ns: entry.mtimeNs || undefined,
    nlink: type === 'dir' ? undefined : entry.linkCount,
    target: type === 'symlink' ? target : undefined,
    raw_target: type === 'symlink' && target !== entry.symlink ? entry.symlink : undefined,
    rdev: type === 'char' || type === 'block' ? [majorOf(entry.size), minorOf(entry.size)] : undefined,
    sha256: type === 'file' ? await contentDigest(repository, catalog, entry, path) : undefined,
    xattrs:
      published.size === 0 ? undefined : Object.fromEntries([...published].map(([k, v]) => [k, v.toString('base64')])),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function contentDigest(repository: TestRepository, catalog: Catalog, entry: CatalogEntry, path: string) {
  const digest = createHash('sha256');
  const chunked = (entry.flags & FLAG_CHUNKED) !== 0;
  const pieces = chunked ? catalog.chunks(entry) : [{ hash: entry.hash!, offset: 0, size: entry.size }];
  for (const { hash, offset, size } of pieces) {
    const { compression } = entry;
    const external = (entry.flags & FLAG_EXTERNAL) !== 0 ? { path, offset, length: size } : undefined;
    await repository.fetch({ hash, letter: chunked ? 'P' : '', compression, size, label: path, external });
    const object = repository.open(hash)!;
    const content = Buffer.alloc(size);
    if (object.size !== size || object.read(content, 0, size, 0) !== size) throw new Error(`${path}: wrong size`);
    digest.update(content);
  }
  return digest.digest('hex');
}

const majorOf = (device: number) => (device >>> 8) & 0xfff;
const minorOf = (device: number) => (device & 0xff) | ((device >>> 12) & 0xfff00);
const bytesOf = (path: unknown) => Buffer.from(path as string, 'latin1');
