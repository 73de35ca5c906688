// The hidden directory /.cvmfs/snapshots, in which each named tag is a mountpoint of the root catalog it names
// (client.md §14.12).
import { FLAG_BIND_MOUNTPOINT, FLAG_HIDDEN } from '../repository/entry-flags.ts';
import { CATALOG_MARKER } from './catalog-plan.ts';
import { type Tag, TRUNK, TRUNK_PREVIOUS } from './history-file.ts';
import type { ObjectFiles } from './object-files.ts';
import { withCatalog } from './previous-catalogs.ts';
import { type Content, syntheticEntry, type TreeEntry } from './tree-entry.ts';

const DIRECTORY = { kind: 'directory', mode: 0o040555, size: 97 } as const;

/** Adds it to the tree, unless there is no named tag. `empty` is where the content of an empty file is stored. */
export function addSnapshots(root: TreeEntry, tags: readonly Tag[], objects: ObjectFiles, empty: Content): void {
  const named = tags.filter(({ name }) => name !== TRUNK && name !== TRUNK_PREVIOUS);
  if (named.length === 0) return;
  const hidden = syntheticEntry(root, '.cvmfs', { ...DIRECTORY, extraFlags: FLAG_HIDDEN });
  const marker = { kind: 'file', mode: 0o100444, size: 0, content: empty } as const;
  const snapshots = syntheticEntry(hidden, 'snapshots', DIRECTORY);
  hidden.children.push(syntheticEntry(hidden, CATALOG_MARKER, marker), snapshots);
  for (const tag of [...named].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    snapshots.children.push(bindMountpoint(snapshots, tag, objects));
  }
  root.children.push(hidden);
  root.children.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function bindMountpoint(parent: TreeEntry, { name, hash }: Tag, objects: ObjectFiles): TreeEntry {
  return withCatalog(objects, hash, (database, size) => {
    const statement = database.prepare('SELECT * FROM catalog WHERE parent_1 = 0 AND parent_2 = 0');
    statement.setReadBigInts(true);
    const row = statement.get();
    if (row === undefined) throw new Error('it has no root entry');
    return syntheticEntry(parent, name, {
      kind: 'directory',
      mode: Number(row.mode),
      size: Number(row.size),
      uid: Number(row.uid),
      gid: Number(row.gid),
      mtime: BigInt(row.mtime as bigint),
      mtimeNs: Number(row.mtimens ?? 0),
      linkCount: Number(BigInt(row.hardlinks as bigint) & 0xffffffffn),
      xattrs: (row.xattr as Uint8Array | null) ?? undefined,
      extraFlags: FLAG_BIND_MOUNTPOINT,
      bound: { hash, size },
    });
  });
}
