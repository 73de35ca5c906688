// What most end-to-end tests begin with: a repository (or several), a web server that shows it, and an installed launcher.
import type { TestFn } from 'ava';
import { TestServer } from './http-server.ts';
import { makeTestRepositories, type TestRepositories } from './repositories.ts';
import { makeTestRepository, type TestRepository, type TestRepositoryOptions } from './repository.ts';
import { Installation } from './run-cvmfsexec.ts';

export interface Site {
  readonly place: Installation;
  /** From the file's first test on. */
  repository: TestRepository;
  server: TestServer;
}

export interface SiteOptions extends TestRepositoryOptions {
  /** What else is to be done before the server starts. */
  readonly prepare?: (repository: TestRepository) => Promise<unknown>;
}

/** Makes it before the tests of a file, and takes it away after them. */
export function prepareSite(test: TestFn, { prepare, ...options }: SiteOptions): Site {
  const site = { place: new Installation() } as Site;
  const published = () => site.repository;
  return serveWhileTesting(test, site, published, async () => {
    site.repository = await makeTestRepository({ xattrs: new Map(), ...options });
    await prepare?.(site.repository);
  });
}

export interface SiteOfSeveral {
  readonly place: Installation;
  /** From the file's first test on. */
  repositories: TestRepositories;
  server: TestServer;
}

/** The same with several small repositories; `writeTree` fills the empty directory of each. */
export function prepareSiteOfSeveral(
  test: TestFn,
  names: readonly string[],
  writeTree: (directory: string, fqrn: string) => void,
): SiteOfSeveral {
  const site = { place: new Installation() } as SiteOfSeveral;
  const published = () => site.repositories;
  return serveWhileTesting(test, site, published, async () => {
    site.repositories = await makeTestRepositories(names, writeTree);
  });
}

/** `published`: what `make` has made so far, also when it fails. */
function serveWhileTesting<S extends Site | SiteOfSeveral>(
  test: TestFn,
  site: S,
  published: () => TestRepository | TestRepositories,
  make: () => Promise<void>,
): S {
  test.before(async () => {
    await make();
    site.server = await TestServer.start({ root: published().serverRoot });
  });
  test.after.always(async () => {
    await site.server?.close();
    await site.place.close();
    published()?.remove();
  });
  return site;
}
