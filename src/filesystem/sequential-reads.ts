// Fetching small files before they are asked for. Programs that read many files of a directory (tar, grep, compilers,
// interpreters at their start) take most of them in the order of its list; each would wait for the network once. When two
// files in a row had to be fetched, the next ones of the list come along.
import type { ObjectRequest, ObjectStore } from '../objects/object.ts';
import { FLAG_CHUNKED, FLAG_DIRECT_IO, FLAG_EXTERNAL } from '../repository/entry-flags.ts';
import { isRegular } from './attributes.ts';
import type { Directory } from './directory.ts';
import { contentOf } from './file-content.ts';
import type { Listings } from './listings.ts';

/** Bytes up to which a file is fetched ahead of its reader. */
const SMALL_FILE = 512 * 1024;
const NOT_SMALL = FLAG_CHUNKED | FLAG_EXTERNAL | FLAG_DIRECT_IO;
/** Files fetched ahead of the reader. */
const WINDOW = 8;
/** How far a row may be from the one read before to count as the next. */
const NEAR = 64;
const DIRECTORIES = 32;

interface Progress {
  rowid: number;
  streak: number;
  /** Place in the list up to which files were asked for. */
  ahead: number;
}

export class SequentialReads {
  readonly #store: ObjectStore;
  readonly #listings: Listings;
  readonly #progress = new Map<number, Progress>();

  constructor(store: ObjectStore, listings: Listings) {
    this.#store = store;
    this.#listings = listings;
  }

  /** Files of this directory had to be fetched lately; where it is not so, there is nothing to note. */
  isWatched(directory: number): boolean {
    return this.#progress.has(directory);
  }

  /** Rows are others now. */
  clear(): void {
    this.#progress.clear();
  }

  /** A file is read for the first time, from the network or because it was fetched ahead. */
  note(directory: Directory, rowid: number): void {
    const progress = this.#progress.get(directory.node);
    if (!progress) {
      if (this.#progress.size >= DIRECTORIES) this.#progress.delete(this.#progress.keys().next().value as number);
      this.#progress.set(directory.node, { rowid, streak: 0, ahead: 0 });
      return;
    }
    const step = rowid - progress.rowid;
    progress.rowid = rowid;
    progress.streak = step > 0 && step <= NEAR ? progress.streak + 1 : 0;
    if (progress.streak === 0) return;
    try {
      this.#fetchAhead(directory, progress);
    } catch {
      // A damaged row of another file is the matter of whoever reads that file.
    }
  }

  #fetchAhead(directory: Directory, progress: Progress): void {
    const listing = this.#listings.get(directory);
    const { rows } = listing;
    const here = listing.placeOf(progress.rowid);
    const from = Math.max(progress.ahead, here + 1);
    const to = Math.min(rows.length, here + 1 + WINDOW);
    for (let i = from; i < to; i++) {
      const request = smallFile(directory, rows[i]);
      if (request) this.#store.prefetch(request);
    }
    progress.ahead = Math.max(progress.ahead, to);
  }
}

/** The object of a file that is worth fetching ahead, undefined for all else. */
function smallFile({ catalog: attached, path }: Directory, rowid: number): ObjectRequest | undefined {
  const entry = attached.catalog.row(rowid);
  if (!entry || !isRegular(entry) || entry.size > SMALL_FILE || (entry.flags & NOT_SMALL) !== 0) return undefined;
  return contentOf(attached, entry, `${path}/${entry.name}`).pieces[0]?.request;
}
