// What goes into which catalog: a directory with the marker file `.cvmfscatalog` in it begins a nested catalog, which
// holds everything below up to the next one. Also numbers hard link groups, which are per catalog.
import { PublishError } from './errors.ts';
import { type Content, syntheticEntry, type TreeEntry } from './tree-entry.ts';

export const CATALOG_MARKER = '.cvmfscatalog';

const S_IFREG = 0o100000;

export interface CatalogPlan {
  /** The directory that the catalog begins with; its path is the catalog's root_prefix. */
  readonly root: TreeEntry;
  /** Every row below the root row: a directory's entries are next to each other. Mountpoints are in it, what is below is not. */
  readonly entries: readonly TreeEntry[];
  /** Catalogs of the mountpoints in `entries`. */
  readonly nested: readonly CatalogPlan[];
}

/**
 * Puts a marker into each directory whose path matches one of the patterns and that has none: '/software/*' are the
 * directories in /software; '*' and '?' do not match '/'. `empty` is where the content of an empty file is stored.
 */
export function addMarkers(root: TreeEntry, patterns: readonly string[], empty: Content): void {
  if (patterns.length === 0) return;
  const matchers = patterns.map(pathMatcher);
  const pending = [...root.children];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    if (entry.kind !== 'directory') continue;
    pending.push(...entry.children);
    const { path } = entry;
    if (!matchers.some((matcher) => matcher.test(path)) || hasMarker(entry)) continue;
    const attributes = { kind: 'file', mode: S_IFREG | 0o644, size: 0, content: empty } as const;
    const marker = syntheticEntry(entry, CATALOG_MARKER, attributes);
    entry.children.push(marker);
    entry.children.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** Divides the tree, and sets `linkCount` and `linkGroup` of its entries. */
export function planCatalogs(root: TreeEntry): CatalogPlan {
  const entries: TreeEntry[] = [];
  const nested: CatalogPlan[] = [];
  let groups = 0;
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    groups = joinHardLinks(directory, groups);
    let directories = 0;
    for (const child of directory.children) {
      entries.push(child);
      if (child.kind !== 'directory') continue;
      directories++;
      if (hasMarker(child)) nested.push(planCatalogs(child));
      else if (child.bound === undefined) pending.push(child);
    }
    directory.linkCount = 2 + directories;
  }
  return { root, entries, nested };
}

export function hasMarker(directory: TreeEntry): boolean {
  const marker = directory.children.find((child) => child.name === CATALOG_MARKER);
  if (marker !== undefined && marker.kind !== 'file') {
    throw new PublishError('TREE', `cannot publish ${marker.path}: the marker of a nested catalog is a regular file`);
  }
  return marker !== undefined;
}

/** Only the names in one directory form a group; a link to another directory becomes a file of its own. */
function joinHardLinks(directory: TreeEntry, groupsBefore: number): number {
  const byInode = new Map<string, TreeEntry[]>();
  for (const child of directory.children) {
    if (child.inode === '') continue;
    const group = byInode.get(child.inode);
    if (group === undefined) byInode.set(child.inode, [child]);
    else group.push(child);
  }
  let groups = groupsBefore;
  for (const group of byInode.values()) {
    if (group.length < 2) continue;
    groups++;
    for (const entry of group) {
      entry.linkGroup = groups;
      entry.linkCount = group.length;
    }
  }
  return groups;
}

function pathMatcher(pattern: string): RegExp {
  const text = Buffer.from(pattern.replace(/\/+$/, '')).toString('latin1');
  if (!text.startsWith('/')) throw new PublishError('OPTION', `the catalog path ${pattern} does not begin with /`);
  const source = text.replace(/[\\^$.|+()[\]{}*?]/g, (character) => {
    if (character === '*') return '[^/]*';
    return character === '?' ? '[^/]' : `\\${character}`;
  });
  return new RegExp(`^${source}$`, 's');
}
