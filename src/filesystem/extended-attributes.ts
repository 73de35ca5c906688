// Extended attributes: those published with an entry, and the "magic" ones that the client makes up (client.md §5.11).
// A magic attribute hides a published one of the same name.
import { Errno } from '../fuse/operations.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import type { AttachedCatalog } from './attached-catalog.ts';
import { isSymlink } from './attributes.ts';
import { ENODATA } from './errno.ts';

/** What magic attributes tell of the mount as a whole. */
export interface MountFacts {
  readonly fqrn: string;
  readonly revision: number;
  readonly rootHash: string;
  /** URL of the server in use. */
  host(): string;
}

interface Subject {
  readonly facts: MountFacts;
  readonly entry: CatalogEntry;
}

/** Gives the value, or undefined where the attribute does not apply to the object. */
type Magic = (subject: Subject) => string | undefined;

const MAGIC: ReadonlyMap<string, Magic> = new Map<string, Magic>([
  ['user.fqrn', ({ facts }) => facts.fqrn],
  ['user.hash', ({ entry }) => entry.hash?.toString()],
  ['user.host', ({ facts }) => facts.host()],
  ['user.revision', ({ facts }) => String(facts.revision)],
  ['user.root_hash', ({ facts }) => facts.rootHash],
  ['xfsroot.rawlink', ({ entry }) => (isSymlink(entry) ? entry.symlink : undefined)],
]);

export function attributeValue(
  facts: MountFacts,
  attached: AttachedCatalog,
  entry: CatalogEntry,
  name: string,
): Buffer {
  const magic = MAGIC.get(name);
  if (magic) {
    const text = magic({ facts, entry });
    if (text === undefined) throw new Errno(ENODATA);
    return Buffer.from(text, 'latin1');
  }
  const value = attached.catalog.xattrs(entry.rowid).get(name);
  if (!value) throw new Errno(ENODATA);
  return value;
}

/** Magic names are listed on the root directory only (CVMFS_MAGIC_XATTRS_VISIBILITY=rootonly, the default). */
export function attributeNames(
  facts: MountFacts,
  attached: AttachedCatalog,
  entry: CatalogEntry,
  isRoot: boolean,
): string[] {
  const names = new Set(attached.catalog.xattrs(entry.rowid).keys());
  if (isRoot) {
    for (const [name, magic] of MAGIC) if (magic({ facts, entry }) !== undefined) names.add(name);
  }
  return [...names].sort();
}
