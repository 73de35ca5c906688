// What most end-to-end tests begin with: a repository, a web server that shows it, and an installed launcher.
import type { TestFn } from 'ava';
import { TestServer } from './http-server.ts';
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
  test.before(async () => {
    site.repository = await makeTestRepository({ xattrs: new Map(), ...options });
    await prepare?.(site.repository);
    site.server = await TestServer.start({ root: site.repository.serverRoot });
  });
  test.after.always(async () => {
    await site.server?.close();
    await site.place.close();
    site.repository?.remove();
  });
  return site;
}
