// Brings what is wanted of one revision into a cache: first the catalogs, which tell how much there is, then what is missing
// of the files. Nothing has to be remembered between two runs: what is there is not fetched again.
import { CacheError } from '../cache/errors.ts';
import type { CacheStore } from '../cache/store.ts';
import { readableLabel } from '../objects/label.ts';
import type { ObjectRequest } from '../objects/object.ts';
import { Catalog, type CatalogEntry } from '../repository/catalog.ts';
import { reasonOf } from '../repository/errors.ts';
import { openObject } from '../repository/source.ts';
import { PreloadError } from './errors.ts';
import type { Guide, Wanted } from './guide.ts';
import { SeenObjects } from './seen-objects.ts';
import { type CatalogStep, type Step, TreeWalk } from './tree-walk.ts';

export interface PreloadSource {
  readonly store: Pick<CacheStore, 'open' | 'fetch' | 'has' | 'keep'>;
  readonly rootCatalog: ObjectRequest;
}

export interface PreloaderOptions extends PreloadSource {
  /** Objects that are fetched at once. */
  readonly jobs: number;
  /** A symlink was met that is wanted. */
  readonly link?: (path: string, entry: CatalogEntry, wanted: Wanted) => void;
}

export interface Failure {
  readonly path: string;
  readonly reason: string;
}

/** Kept in memory; more are only counted. */
const MAX_FAILURES = 1000;
/** So many in a row, and none without: the servers are not there. */
const HOPELESS = 50;
/** Steps without a pause for everything else. */
const STEPS_AT_ONCE = 500;

export class Preloader {
  /** How far it is; bytes are of uncompressed objects, catalogs included. */
  readonly progress = { catalogs: 0, objects: 0, bytes: 0, missing: 0, missingBytes: 0, fetched: 0, fetchedBytes: 0 };
  readonly failures: Failure[] = [];
  failed = 0;
  /** Paths that were named and are not there. */
  readonly absent: string[] = [];
  /** Of the root catalog. */
  revision: number | undefined;
  readonly #options: PreloaderOptions;
  readonly #planned = new SeenObjects();
  readonly #fetching = new SeenObjects();
  #failuresInARow = 0;
  #stop: Error | undefined;

  constructor(options: PreloaderOptions) {
    this.#options = options;
  }

  /** Loads the catalogs on the way, and counts what they lead to. @throws PreloadError GIVEN_UP, CacheError NOT_STORED */
  async plan(guide: Guide): Promise<void> {
    const { progress } = this;
    const { store } = this.#options;
    await this.#run(guide, true, (request) => {
      if (this.#planned.seen(request.hash)) return undefined;
      const { size = 0 } = request;
      progress.objects++;
      progress.bytes += size;
      if (store.has(request)) return undefined;
      progress.missing++;
      progress.missingBytes += size;
      return undefined;
    });
  }

  /** Fetches the objects that are missing. @throws as plan */
  async fetch(guide: Guide): Promise<void> {
    const { store } = this.#options;
    await this.#run(guide, false, (request) => {
      if (this.#fetching.seen(request.hash) || store.has(request)) return undefined;
      return this.#keep(request);
    });
  }

  /** Goes through all objects and catalogs that are there, without fetching anything. */
  async list(guide: Guide, visit: (request: ObjectRequest) => void): Promise<void> {
    await this.#run(
      guide,
      false,
      (request) => {
        if (this.#options.store.has(request)) visit(request);
        return undefined;
      },
      visit,
    );
  }

  /** Ends the run with this error as soon as possible. */
  stop(error: Error): void {
    this.#stop ??= error;
  }

  async #run(
    guide: Guide,
    first: boolean,
    visit: (request: ObjectRequest) => Promise<void> | undefined,
    visitCatalog?: (request: ObjectRequest) => void,
  ): Promise<void> {
    const quiet = () => {};
    const walk = new TreeWalk(this.#options.rootCatalog, guide, {
      // What is wrong with catalogs shows in the first run already.
      failed: first ? (path, reason) => this.#fail(path, reason) : quiet,
      missing: first ? (path) => void this.absent.push(path) : quiet,
      link: (first && this.#options.link) || quiet,
    });
    let opening = 0;
    let wake: () => void = quiet;
    let more = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const opened = (): void => {
      opening--;
      wake();
      more = new Promise((resolve) => {
        wake = resolve;
      });
    };
    const worker = async (): Promise<void> => {
      for (let count = 1; !this.#stop; count++) {
        const step: Step | undefined = walk.next();
        if (!step && opening === 0) return;
        if (!step) await more;
        else if (step.kind === 'object') await visit(step.request);
        else {
          opening++;
          try {
            await this.#enter(walk, step, first);
            visitCatalog?.(step.request);
          } finally {
            opened();
          }
        }
        if (count % STEPS_AT_ONCE === 0) await turn();
      }
    };
    try {
      await Promise.all(Array.from({ length: this.#options.jobs }, () => worker().catch((error) => this.stop(error))));
    } finally {
      walk.close();
    }
    if (this.#stop) throw this.#stop;
  }

  async #enter(walk: TreeWalk, step: CatalogStep, first: boolean): Promise<void> {
    const { request, mountpoint } = step;
    const { store } = this.#options;
    const fresh = first && !this.#planned.seen(request.hash);
    if (fresh) this.progress.catalogs++;
    // Reported in the first run.
    if (!first && !store.has(request)) return;
    try {
      const missing = !store.has(request);
      if (missing) await store.keep(request);
      const object = await openObject(store, request);
      if (fresh) this.#count(object.size, missing);
      const catalog = Catalog.open(object, request.hash);
      if (mountpoint === '') this.revision = catalog.revision;
      walk.enter(step, catalog);
    } catch (error) {
      if (first) this.#failedToFetch(mountpoint || '/', error);
    }
  }

  #count(bytes: number, fetched: boolean): void {
    const { progress } = this;
    progress.objects++;
    progress.bytes += bytes;
    this.#failuresInARow = 0;
    if (!fetched) return;
    progress.fetched++;
    progress.fetchedBytes += bytes;
    progress.missing++;
    progress.missingBytes += bytes;
  }

  async #keep(request: ObjectRequest): Promise<void> {
    try {
      await this.#options.store.keep(request);
      this.progress.fetched++;
      this.progress.fetchedBytes += request.size ?? 0;
      this.#failuresInARow = 0;
    } catch (error) {
      this.#failedToFetch(request.label, error);
    }
  }

  #failedToFetch(path: string, error: unknown): void {
    if (this.#stop) return;
    // A full disk stays full.
    if (error instanceof CacheError && error.code === 'NOT_STORED') {
      this.stop(error);
      return;
    }
    this.#fail(path, reasonOf(error));
    if (++this.#failuresInARow < HOPELESS) return;
    this.stop(
      new PreloadError('GIVEN_UP', `given up after ${HOPELESS} failures in a row, the last: ${reasonOf(error)}`, error),
    );
  }

  #fail(path: string, reason: string): void {
    this.failed++;
    if (this.failures.length < MAX_FAILURES) this.failures.push({ path: readableLabel(path), reason });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
