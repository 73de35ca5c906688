// What is kept on this node about the newest revision of a repository: breadcrumbs, and the proof of it.
import { type Breadcrumb, breadcrumbTime, readBreadcrumb, touchBreadcrumb, writeBreadcrumb } from './breadcrumb.ts';
import type { RootChoice, RootOptions } from './root.ts';
import { readVerifiedRecord, writeVerifiedRecord } from './verified-record.ts';

export interface NoteDirectories {
  /** The user's own, on this node. */
  readonly workspace: string;
  /** May have a breadcrumb, of which the newest counts: an alien or lower cache that others fill is among them. */
  readonly breadcrumbs: readonly string[];
  /** Those of them that get one. */
  readonly writable: readonly string[];
}

export class RootNotes {
  readonly #fqrn: string;
  readonly #directories: NoteDirectories;
  readonly #report: (message: string) => void;
  /** When the record that was read or written last was verified. */
  #recorded = 0;

  /** `report` gets one line where something cannot be noted. */
  constructor(fqrn: string, directories: NoteDirectories, report: (message: string) => void) {
    this.#fqrn = fqrn;
    this.#directories = directories;
    this.#report = report;
  }

  /** For chooseRoot at a start; an update of a running mount takes the breadcrumb only. */
  read(): Pick<RootOptions, 'breadcrumb' | 'record' | 'proveAgain'> {
    const record = readVerifiedRecord(this.#directories.workspace, this.#fqrn);
    this.#recorded = record?.verified ?? 0;
    return { breadcrumb: this.breadcrumb(), record, proveAgain: record === undefined };
  }

  /**
   * For a start without network. What a shared cache says of itself counts: the user's own directory may name a newer
   * revision, of which the cache has nothing.
   */
  readOffline(): Pick<RootOptions, 'breadcrumb'> {
    const { workspace, breadcrumbs } = this.#directories;
    return { breadcrumb: this.breadcrumb(breadcrumbs.filter((path) => path !== workspace)) ?? this.breadcrumb() };
  }

  breadcrumb(directories = this.#directories.breadcrumbs): Breadcrumb | undefined {
    let newest: Breadcrumb | undefined;
    for (const directory of directories) {
      const found = readBreadcrumb(directory, this.#fqrn);
      if (found && (!newest || found.revision > newest.revision)) newest = found;
    }
    return newest;
  }

  /** When somebody who shares the cache was last told by a server that the breadcrumb is right, by Date.now(); 0: unknown. */
  get confirmedAt(): number {
    return breadcrumbTime(this.#directories.workspace, this.#fqrn);
  }

  /** A server has just said so. */
  confirm(): void {
    touchBreadcrumb(this.#directories.workspace, this.#fqrn);
  }

  /**
   * Notes what was chosen. To be called when the root catalog is stored.
   * @param ttl time to live by the root catalog, seconds
   */
  write({ breadcrumb, verified }: RootChoice, ttl: number): void {
    const { workspace, writable } = this.#directories;
    if (breadcrumb) {
      for (const directory of writable) {
        this.#attempt(directory, () => writeBreadcrumb(directory, this.#fqrn, breadcrumb));
      }
    }
    // What was taken from the record is in it.
    if (!verified || verified.time <= this.#recorded) return;
    const { manifest, whitelist, certificate } = verified.evidence;
    const record = { verified: verified.time, ttl, manifest, whitelist, certificate };
    this.#attempt(workspace, () => writeVerifiedRecord(workspace, this.#fqrn, record));
    this.#recorded = verified.time;
  }

  #attempt(directory: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#report(`cannot note the revision in ${directory}: ${(error as Error).message}`);
    }
  }
}
