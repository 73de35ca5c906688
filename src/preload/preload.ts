// A whole preload: what is wanted, the catalogs, the space there is, the objects, and at last the note in the cache that
// makes this revision the one that is mounted without network.
import { statfsSync } from 'node:fs';
import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import type { ContentHash } from '../objects/hash.ts';
import { chosenCatalogRequest } from '../repository/root.ts';
import type { Dirtab } from './dirtab.ts';
import { PreloadError } from './errors.ts';
import { FollowedLinks } from './followed-links.ts';
import type { Guide } from './guide.ts';
import type { PathTree } from './path-tree.ts';
import { Preloader } from './preloader.ts';

export interface PreloadWishes {
  readonly dirtabs: readonly Dirtab[];
  readonly record?: PathTree;
  /** What links lead to is loaded, too. */
  readonly followLinks: boolean;
  readonly jobs: number;
}

export interface PreloadTarget {
  readonly repository: MountedRepository;
  readonly settings: RepositorySettings;
  /** Where objects are stored. */
  readonly directory: string;
  /** Bytes that may be in it; undefined: as many as fit. */
  readonly limit?: number;
}

export type Phase = 'catalogs' | 'objects';

export class Preload {
  readonly preloader: Preloader;
  readonly #target: PreloadTarget;
  readonly #wishes: PreloadWishes;
  readonly #links: FollowedLinks | undefined;
  readonly #guides: Guide[] = [];

  constructor(target: PreloadTarget, wishes: PreloadWishes) {
    const { repository, settings } = target;
    this.#target = target;
    this.#wishes = wishes;
    this.#links = wishes.followLinks ? new FollowedLinks(settings.fqrn, settings.variables) : undefined;
    this.preloader = new Preloader({
      store: repository.layers.store,
      rootCatalog: chosenCatalogRequest(repository.root),
      jobs: wishes.jobs,
      link: this.#links?.add,
    });
  }

  /** Everything that was asked for is there. */
  get isComplete(): boolean {
    return this.preloader.failed === 0;
  }

  get rootHash(): ContentHash {
    return this.#target.repository.root.rootHash;
  }

  /** The revision was chosen by a tag, a date or its hash: a mount without network has to be told the hash. */
  get isFixed(): boolean {
    return this.#target.repository.root.fixed;
  }

  /** @throws PreloadError NO_SPACE, GIVEN_UP; CacheError NOT_STORED */
  async run(enter: (phase: Phase) => void): Promise<void> {
    enter('catalogs');
    const { dirtabs, record } = this.#wishes;
    for (const { guide } of record ? [...dirtabs, record] : dirtabs) await this.#plan(guide);
    for (let guide = this.#links?.take(); guide; guide = this.#links?.take()) await this.#plan(guide);
    this.#checkSpace();
    enter('objects');
    for (const guide of this.#guides) await this.preloader.fetch(guide);
    // Not before: jobs that use the cache without network would come upon a revision that is not all there.
    if (this.isComplete) this.#target.repository.remember();
  }

  /** Paths below the cache directory of all that was loaded. */
  async files(add: (path: string) => void): Promise<void> {
    for (const guide of this.#guides) {
      await this.preloader.list(guide, ({ hash }) => add(`${hash.hex.slice(0, 2)}/${hash.tail}`));
    }
  }

  async #plan(guide: Guide): Promise<void> {
    this.#guides.push(guide);
    await this.preloader.plan(guide);
  }

  #checkSpace(): void {
    const { bytes, missingBytes, fetchedBytes } = this.preloader.progress;
    const { directory, limit } = this.#target;
    if (limit !== undefined && bytes > limit) {
      const message = `${megabytes(bytes)} are wanted in ${directory}, which may have ${megabytes(limit)}`;
      throw new PreloadError('NO_SPACE', `${message}: raise CVMFS_QUOTA_LIMIT, or give a directory (--to DIR)`);
    }
    const { bavail, bsize } = statfsSync(directory);
    const [needed, free] = [missingBytes - fetchedBytes, bavail * bsize];
    if (needed <= free) return;
    const message = `${megabytes(needed)} are missing in ${directory}, which has room for ${megabytes(free)}`;
    throw new PreloadError('NO_SPACE', `${message}: free space, or choose less`);
  }
}

/** For people. */
export function megabytes(bytes: number): string {
  return bytes < 10e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.round(bytes / 1e6)} MB`;
}
