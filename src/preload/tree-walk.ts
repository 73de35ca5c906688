// A walk through the catalogs of a revision, led by a guide. It is asked for one step after the other, so that nothing of
// a large repository has to be kept; catalogs that it comes to are steps, too, and walked once somebody has opened them.
import { type CatalogAtPath, databasePath, nestedAt } from '../filesystem/attached-catalog.ts';
import { isDirectory, isRegular, isSymlink } from '../filesystem/attributes.ts';
import { catalogRequest } from '../filesystem/catalog-tree.ts';
import { contentOf } from '../filesystem/file-content.ts';
import type { ObjectRequest } from '../objects/object.ts';
import type { Catalog, CatalogEntry } from '../repository/catalog.ts';
import { FLAG_HIDDEN } from '../repository/entry-flags.ts';
import { reasonOf } from '../repository/errors.ts';
import { hashPath, newPathHash } from '../repository/path-hash.ts';
import type { Guide, Range, Wanted } from './guide.ts';

/** A catalog, and what is wanted in it. */
export interface CatalogStep {
  readonly kind: 'catalog';
  readonly request: ObjectRequest;
  /** '' for the root catalog. */
  readonly mountpoint: string;
  readonly guide: Guide;
}

export interface ObjectStep {
  readonly kind: 'object';
  readonly request: ObjectRequest;
}

export type Step = CatalogStep | ObjectStep;

export interface WalkListener {
  /** A directory or file that cannot be read in its catalog. */
  readonly failed: (path: string, reason: string) => void;
  /** A name that the guide knows is not there. */
  readonly missing: (path: string) => void;
  /** A symlink that is wanted, or that stands where the guide expects a directory. */
  readonly link: (path: string, entry: CatalogEntry, wanted: Wanted) => void;
}

export class TreeWalk {
  readonly #listener: WalkListener;
  readonly #pending: CatalogStep[];
  /** Catalogs in the middle of their walk; the last one is gone on with. */
  readonly #walking: { readonly catalog: Catalog; readonly steps: Generator<Step> }[] = [];

  constructor(root: ObjectRequest, guide: Guide, listener: WalkListener) {
    this.#listener = listener;
    this.#pending = [{ kind: 'catalog', request: root, mountpoint: '', guide }];
  }

  /** undefined: nothing more, unless a catalog that was a step is entered. */
  next(): Step | undefined {
    // Catalogs first: they bring more to do, and take a while to come.
    const catalog = this.#pending.pop();
    if (catalog) return catalog;
    for (let current = this.#walking.at(-1); current; current = this.#walking.at(-1)) {
      const { value, done } = current.steps.next();
      if (!done) return value;
      this.#walking.pop();
      current.catalog.close();
    }
    return undefined;
  }

  /** Goes on in the catalog of a step; takes it over. */
  enter({ mountpoint, guide }: CatalogStep, catalog: Catalog): void {
    this.#walking.push({ catalog, steps: this.#walk({ catalog, mountpoint }, guide) });
  }

  close(): void {
    for (const { catalog } of this.#walking.splice(0)) catalog.close();
    this.#pending.length = 0;
  }

  *#walk(place: CatalogAtPath, guide: Guide): Generator<Step> {
    const directories = [{ path: place.mountpoint, guide }];
    for (let directory = directories.pop(); directory; directory = directories.pop()) {
      for (const { path, entry, wanted } of this.#children(place, directory)) {
        if (isDirectory(entry)) {
          if (!wanted.below) continue;
          const nested = nestedAt(place, path);
          if (!nested) directories.push({ path, guide: wanted.below });
          else yield { kind: 'catalog', request: catalogRequest(nested, path), mountpoint: path, guide: wanted.below };
        } else if (isSymlink(entry)) this.#listener.link(path, entry, wanted);
        else if (isRegular(entry) && wanted.content) yield* this.#content(place, path, entry, wanted.content);
      }
    }
  }

  *#children(place: CatalogAtPath, { path: directory, guide }: { path: string; guide: Guide }) {
    try {
      for (const entry of guide.names ? this.#named(place, directory, guide.names()) : listed(place, directory)) {
        const path = `${directory}/${entry.name}`;
        const wanted = guide.child({ path, name: entry.name, hidden: (entry.flags & FLAG_HIDDEN) !== 0 });
        if (wanted) yield { path, entry, wanted };
      }
    } catch (error) {
      this.#listener.failed(directory || '/', reasonOf(error));
    }
  }

  *#named(place: CatalogAtPath, directory: string, names: Iterable<string>): Generator<CatalogEntry> {
    const { catalog } = place;
    const hash = newPathHash();
    for (const name of names) {
      const path = `${directory}/${name}`;
      hashPath(databasePath(place, path), hash);
      const entry = catalog.row(catalog.lookup(hash));
      if (entry) yield entry;
      else this.#listener.missing(path);
    }
  }

  *#content(place: CatalogAtPath, path: string, entry: CatalogEntry, wanted: 'all' | readonly Range[]) {
    try {
      for (const { offset, size, request } of contentOf(place, entry, path).pieces) {
        if (overlaps(wanted, offset, size)) yield { kind: 'object' as const, request };
      }
    } catch (error) {
      this.#listener.failed(path, error instanceof Error ? reasonOf(error) : 'its catalog names no content for it');
    }
  }
}

function* listed(place: CatalogAtPath, directory: string): Generator<CatalogEntry> {
  const { catalog } = place;
  const hash = newPathHash();
  hashPath(databasePath(place, directory), hash);
  const rows: number[] = [];
  catalog.children(hash, rows);
  for (const row of rows) {
    const entry = catalog.row(row);
    if (!entry) throw new Error(`row ${row} of its catalog is missing`);
    yield entry;
  }
}

function overlaps(wanted: 'all' | readonly Range[], offset: number, size: number): boolean {
  return wanted === 'all' || wanted.some((range) => range.offset < offset + size && offset < range.offset + range.size);
}
