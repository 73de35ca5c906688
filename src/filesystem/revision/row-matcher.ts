// Finds the row of a path in the catalogs that a new one follows.
import type { CatalogEntry } from '../../repository/catalog.ts';
import type { PathHash } from '../../repository/path-hash.ts';
import type { AttachedCatalog } from '../attached-catalog.ts';
import type { Successor } from './succession.ts';

export interface Match {
  readonly attached: AttachedCatalog;
  readonly entry: CatalogEntry;
}

export class RowMatcher {
  readonly #predecessors: readonly AttachedCatalog[];
  /** The one that had the row before, and how far rows have moved since: neighbours mostly stay neighbours. */
  #last = 0;
  #moved = 0;

  constructor({ mountpoint, catalog, predecessors }: Successor) {
    const place = origin(mountpoint, catalog.rootPrefix);
    // Below a bind mountpoint paths are spelt, and so hashed, in another way.
    this.#predecessors = predecessors.filter((old) => origin(old.mountpoint, old.catalog.rootPrefix) === place);
  }

  /** The root row of a nested catalog is none: its directory's own row is in the catalog above. */
  find(entry: CatalogEntry): Match | undefined {
    const count = this.#predecessors.length;
    for (let i = 0; i < count; i++) {
      const index = (this.#last + i) % count;
      const attached = this.#predecessors[index];
      const found = this.#near(attached, entry) ?? this.#lookUp(attached, entry);
      if (!found || (found.rowid === attached.catalog.rootRow && attached.mountpoint !== '')) continue;
      this.#last = index;
      this.#moved = found.rowid - entry.rowid;
      return { attached, entry: found };
    }
    return undefined;
  }

  #near({ catalog }: AttachedCatalog, entry: CatalogEntry): CatalogEntry | undefined {
    const row = entry.rowid + this.#moved;
    const found = row > 0 && row <= catalog.maxRowid ? catalog.row(row) : undefined;
    return found && isSamePath(found, entry) ? found : undefined;
  }

  #lookUp({ catalog }: AttachedCatalog, entry: CatalogEntry): CatalogEntry | undefined {
    const row = catalog.lookup(entry);
    return row === 0 ? undefined : catalog.row(row);
  }
}

function isSamePath(a: PathHash, b: PathHash): boolean {
  return a.lo1 === b.lo1 && a.hi1 === b.hi1 && a.lo2 === b.lo2 && a.hi2 === b.hi2;
}

/** What comes before the path that a catalog was made for: '' but below bind mountpoints. */
function origin(mountpoint: string, rootPrefix: string): string {
  const length = mountpoint.length - rootPrefix.length;
  return mountpoint.endsWith(rootPrefix) ? mountpoint.slice(0, length) : `${mountpoint} as ${rootPrefix}`;
}
