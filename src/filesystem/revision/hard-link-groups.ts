// Hard link groups across revisions. A group is one node for all its names, so it stays the same node only if it has the
// same names, and the same content under all of them.
import type { CatalogEntry } from '../../repository/catalog.ts';
import type { AttachedCatalog } from '../attached-catalog.ts';
import { MAX_GROUP } from '../node-id.ts';

interface Members {
  /** Rows in the new catalog. */
  readonly rows: number[];
  /** Their rows in the old one. */
  readonly oldRows: number[];
  attached: AttachedCatalog | undefined;
  oldGroup: number;
  same: boolean;
}

export interface KeptGroup {
  readonly attached: AttachedCatalog;
  readonly oldGroup: number;
}

export function isGrouped({ hardlinkGroup }: CatalogEntry): boolean {
  return hardlinkGroup > 0 && hardlinkGroup <= MAX_GROUP;
}

/** Of one new catalog. */
export class HardLinkGroups {
  readonly #groups = new Map<number, Members>();

  /** `old`: where the same content was at the same path, if it was. */
  add(entry: CatalogEntry, old: { attached: AttachedCatalog; entry: CatalogEntry } | undefined): void {
    let members = this.#groups.get(entry.hardlinkGroup);
    if (!members) {
      const { attached, entry: first } = old ?? {};
      members = { rows: [], oldRows: [], attached, oldGroup: first?.hardlinkGroup ?? 0, same: true };
      this.#groups.set(entry.hardlinkGroup, members);
    }
    members.rows.push(entry.rowid);
    if (old) members.oldRows.push(old.entry.rowid);
    if (!old || old.attached !== members.attached || old.entry.hardlinkGroup !== members.oldGroup) members.same = false;
  }

  /** Group numbers, ascending. */
  get numbers(): number[] {
    return [...this.#groups.keys()].sort((a, b) => a - b);
  }

  /** The group that this one was before; undefined when it is another. `sizeOf`: names of a group in an old catalog. */
  before(group: number, sizeOf: (attached: AttachedCatalog, group: number) => number): KeptGroup | undefined {
    const members = this.#groups.get(group);
    if (!members?.same || !members.attached) return undefined;
    const { attached, oldGroup } = members;
    return sizeOf(attached, oldGroup) === members.rows.length ? { attached, oldGroup } : undefined;
  }

  members(group: number): Pick<Members, 'rows' | 'oldRows'> {
    return this.#groups.get(group) as Members;
  }
}
