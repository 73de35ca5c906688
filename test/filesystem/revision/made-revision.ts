// Revisions of a small tree as catalogs, the publisher's way: directories that hold a marker have a catalog of their own.
import { ContentHash } from '../../../src/objects/hash.ts';
import { Catalog } from '../../../src/repository/catalog.ts';
import { FLAG_NESTED_MOUNTPOINT } from '../../../src/repository/entry-flags.ts';
import { localObject } from '../../repository/fixtures.ts';
import { catalogFile, type MadeRow } from '../../repository/made-catalog.ts';
import type { MemoryStore } from '../memory-store.ts';

export interface Thing {
  readonly kind: 'directory' | 'file' | 'link';
  /** Of a file its content, of a link its target. */
  readonly text: string;
  readonly mode: number;
  readonly mtime: number;
  /** Of a directory. */
  readonly nested: boolean;
  /** Of a file: those of one number are one file, if they are in one catalog and have one text; 0: none. */
  readonly group: number;
}

/** By path, the root left out. Every thing's directory is in it. */
export type Tree = ReadonlyMap<string, Thing>;

const KINDS = { directory: 0o040000, file: 0o100000, link: 0o120000 };

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** `order` sorts the rows of each catalog. */
export function makeRevision(
  tree: Tree,
  store: MemoryStore,
  revision: number,
  order: (path: string) => number,
): Catalog {
  const file = catalogOf('', tree, store, revision, order);
  const catalog = Catalog.open(localObject(file), ContentHash.of('sha1', file));
  store.add(file);
  return catalog;
}

function catalogOf(
  top: string,
  tree: Tree,
  store: MemoryStore,
  revision: number,
  order: (path: string) => number,
): Buffer {
  const paths = [...tree.keys()].filter((path) => path !== top && catalogFor(path, tree) === top);
  paths.sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const { kind, group, text, mode, mtime } = tree.get(path)!;
    const key = kind === 'file' && group > 0 ? `${group} ${text} ${mode} ${mtime}` : path;
    groups.set(key, [...(groups.get(key) ?? []), path]);
  }
  const links = [...groups.values()].filter((names) => names.length > 1);
  let after = '';
  const rows = paths.map((path): MadeRow => {
    const thing = tree.get(path)!;
    const { kind, text, mode, mtime, nested } = thing;
    const group = links.findIndex((names) => names.includes(path)) + 1;
    const row = { path, mode: KINDS[kind] | mode, mtime, size: kind === 'file' ? text.length : 0 };
    if (kind === 'directory' && nested) {
      const file = catalogOf(path, tree, store, revision, order);
      after += `INSERT INTO nested_catalogs VALUES ('${path}', '${store.add(file)}', ${file.length});`;
    }
    const flags =
      kind === 'directory' ? 1 | (nested ? FLAG_NESTED_MOUNTPOINT : 0) : kind === 'link' ? 12 : 4 | (1 << 11);
    const hash = kind === 'file' ? store.add(Buffer.from(text)).digest : null;
    const hardlinks = (BigInt(group) << 32n) | BigInt(group > 0 ? links[group - 1].length : 1);
    return { ...row, flags, hash, hardlinks, symlink: kind === 'link' ? text : '' };
  });
  // The revision of a nested catalog is its own; here a catalog with the same rows is the same catalog.
  const properties: Record<string, string> = top === '' ? { revision: String(revision) } : { root_prefix: top };
  const root = top === '' ? {} : { mode: KINDS.directory | tree.get(top)!.mode, mtime: tree.get(top)!.mtime };
  return catalogFile({
    root: false,
    rows: [{ path: top, mode: 0o40755, flags: 1, ...root }, ...rows],
    properties,
    after,
  });
}

/** Mountpoint of the catalog that holds the row of `path` in its parent's directory. */
function catalogFor(path: string, tree: Tree): string {
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) if (tree.get(at)?.nested) return at;
  return '';
}
