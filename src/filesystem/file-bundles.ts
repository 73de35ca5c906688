// Prefetching by bundles (CVMFS_PREFETCH_FILEBUNDLES): when a file is read for the first time and there is a bundle beside
// it, the files that the bundle lists are fetched in the background. Whatever goes wrong is nobody's failure.
import type { ObjectStore } from '../objects/object.ts';
import { RepositoryError } from '../repository/errors.ts';
import { bundlePath, parseFileBundle } from '../repository/file-bundle.ts';
import { hashPath, newPathHash } from '../repository/path-hash.ts';
import { readObject } from '../repository/source.ts';
import { databasePath } from './attached-catalog.ts';
import type { Directory } from './directory.ts';
import type { FileContent } from './open-files.ts';

export interface FileBundlesOptions {
  readonly store: ObjectStore;
  /** Files fetched at once. CVMFS_BUNDLE_POOL_SIZE. */
  readonly workers: number;
  /** Gets a line for a bundle that cannot be used. */
  readonly report: (message: string) => void;
}

/** The content of a regular file by its path; undefined: there is none. */
export type ContentAt = (path: string) => Promise<FileContent | undefined>;

/** Bytes of a bundle. */
const MAX_BUNDLE = 8 << 20;

const hash = newPathHash();

/** Path of the bundle that the file `name` triggers; undefined: there is none. */
export function bundleOf({ path, catalog }: Directory, name: string): string | undefined {
  const bundle = bundlePath(path, name);
  if (bundle === undefined) return undefined;
  hashPath(databasePath(catalog, bundle), hash);
  return catalog.catalog.lookup(hash) === 0 ? undefined : bundle;
}

export class FileBundles {
  readonly #options: FileBundlesOptions;
  /** Paths of bundles. */
  readonly #known = new Set<string>();
  readonly #queue: { readonly path: string; readonly contentAt: ContentAt }[] = [];
  #running = 0;

  constructor(options: FileBundlesOptions) {
    this.#options = options;
  }

  /** A file is read for the first time. Returns at once. */
  opened(directory: Directory, name: string, contentAt: ContentAt): void {
    const bundle = bundleOf(directory, name);
    if (bundle === undefined || this.#known.has(bundle)) return;
    this.#known.add(bundle);
    this.#load(bundle, directory.path, contentAt).catch((error: Error) => {
      if (error instanceof RepositoryError) this.#options.report(`cannot use the bundle ${bundle}: ${error.message}`);
    });
  }

  async #load(bundle: string, directory: string, contentAt: ContentAt): Promise<void> {
    const { store, workers } = this.#options;
    const content = await contentAt(bundle);
    if (!content) return;
    if (content.size > MAX_BUNDLE) throw new RepositoryError('BadBundle', `it has ${content.size} bytes`);
    const parts: Buffer[] = [];
    for (const { request } of content.pieces) parts.push(await readObject(store, request, MAX_BUNDLE));
    for (const path of parseFileBundle(Buffer.concat(parts), directory)) this.#queue.push({ path, contentAt });
    while (this.#running < workers && this.#queue.length > this.#running) {
      this.#running++;
      void this.#work().finally(() => this.#running--);
    }
  }

  async #work(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      try {
        const content = await next.contentAt(next.path);
        for (const { request } of content?.pieces ?? []) await this.#options.store.fetch(request);
      } catch {
        // the reader, if there will be one, tries again and is told
      }
    }
  }
}
