// A repository that goes from revision to revision under jobs.
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { TestServer, type TestServerOptions } from './http-server.ts';
import { JobShell } from './job-shell.ts';
import { makeTestRepository, type TestRepository, type TestRepositoryOptions } from './repository.ts';
import type { Installation } from './run-cvmfsexec.ts';

export type At = (path: string) => string;

export interface UpdatingRepository {
  readonly repository: TestRepository;
  readonly server: TestServer;
  readonly parameters: Readonly<Record<string, string>>;
  readonly mount: string;
  /** Changes the tree and publishes it. */
  publish(change: (at: At) => void): Promise<void>;
  shell(more?: { debug?: boolean; wrap?: readonly string[]; parameters?: Readonly<Record<string, string>> }): JobShell;
  requested(pattern: RegExp): number;
}

export interface UpdatingOptions extends Pick<TestServerOptions, 'admit'>, Pick<TestRepositoryOptions, 'ttl'> {
  readonly writeTree: (at: At) => void;
}

let count = 0;

/** A repository of its own, served to jobs which, with a `ttl` of 1 (the default), ask for revisions every second. */
export async function updatingRepository(
  t: ExecutionContext,
  place: Installation,
  { writeTree, ttl = 1, admit }: UpdatingOptions,
): Promise<UpdatingRepository> {
  const fqrn = `updates${++count}.example.org`;
  const repository = await makeTestRepository({
    fqrn,
    ttl,
    xattrs: new Map(),
    writeTree: (directory) => writeTree((path) => join(directory, path)),
  });
  t.teardown(() => repository.remove());
  const server = await TestServer.start({ root: repository.serverRoot, ...(admit && { admit }) });
  t.teardown(() => server.close());
  const parameters = {
    SERVER_URL: `${server.url}/@fqrn@`,
    KEYS_DIR: repository.clientKeys,
    BACKOFF_INIT: '0',
    CACHE_BASE: place.newPath(),
  };
  return {
    repository,
    server,
    parameters,
    mount: `/cvmfs/${fqrn}`,
    async publish(change) {
      change((path) => join(repository.tree, path));
      await repository.publish();
    },
    shell(more = {}) {
      const shell = new JobShell(place, {
        repositories: [fqrn],
        ...more,
        parameters: { ...parameters, ...more.parameters },
      });
      t.teardown(() => shell.end());
      return shell;
    },
    requested: (pattern) => server.paths().filter((path) => pattern.test(path)).length,
  };
}

/** READ requests for the file with this inode number, in the debug output. */
export function readsOf(shell: JobShell, inode: string): number {
  const node = new RegExp(`<- LOOKUP #\\d+ node (\\d+) ino ${inode} `).exec(shell.stderr)?.[1];
  return shell.stderr.split('\n').filter((line) => line.includes(` -> READ `) && line.includes(` node ${node} `))
    .length;
}
