// A small repository with everything in it, made by the publisher in a temporary directory.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CreateOptions, createRepository } from '../../src/publish/create-repository.ts';
import { keyFiles } from '../../src/publish/keys.ts';
import { type Publication, type PublishOptions, publish } from '../../src/publish/publish.ts';
import { formatListing, type ListingEntry, listTree } from './tree-listing.ts';
import { SAMPLE_CHUNK_SIZES, SAMPLE_XATTRS, writeSampleTree } from './tree-sample.ts';

export interface TestRepository {
  readonly fqrn: string;
  /** Of everything below: removed by `remove`. */
  readonly base: string;
  /** What a web server shows as /cvmfs/<fqrn>; it is `<serverRoot>/<fqrn>`. */
  readonly directory: string;
  /** To be served as /cvmfs: CVMFS_SERVER_URL is `file://<serverRoot>/@fqrn@` without a server. */
  readonly serverRoot: string;
  /** Private and public keys; for CVMFS_KEYS_DIR take `clientKeys`. */
  readonly keysDirectory: string;
  /** Holds nothing but the public master key. */
  readonly clientKeys: string;
  /** Public master key, PEM. */
  readonly publicKey: string;
  /** The tree that is published; change it and publish again. */
  readonly tree: string;
  /** Publishes `tree` as it is now. */
  publish(options?: PublishOptions): Promise<Publication>;
  /** What a mount has to show of `tree` as it is now. */
  listing(): ListingEntry[];
  /** Writes the listing to a file below `base`; returns its path. */
  writeListing(): string;
  /** Removes everything. */
  remove(): void;
}

export type TestRepositoryOptions = Partial<Omit<CreateOptions, 'directory' | 'keysDirectory'>> & {
  /** Puts the tree into an empty directory; default: the sample with everything in it. */
  readonly writeTree?: (directory: string) => void;
  /** Default: those of the sample. */
  readonly xattrs?: PublishOptions['xattrs'];
  /** Publish the tree at once; default: true. */
  readonly publish?: boolean;
};

/** Makes one; call its `remove` in the test's teardown. */
export async function makeTestRepository(options: TestRepositoryOptions = {}): Promise<TestRepository> {
  const { writeTree = writeSampleTree, xattrs = SAMPLE_XATTRS, fqrn = 'sample.example.org', ...create } = options;
  const base = mkdtempSync(join(tmpdir(), 'repository-'));
  // The tests mount it as other users too.
  chmodSync(base, 0o755);
  const serverRoot = join(base, 'server');
  const directory = join(serverRoot, fqrn);
  const keysDirectory = join(base, 'keys');
  const tree = join(base, 'tree');
  const clientKeys = join(base, 'client-keys');
  const location = { directory, keysDirectory };
  const repository: TestRepository = {
    fqrn,
    base,
    directory,
    serverRoot,
    keysDirectory,
    clientKeys,
    publicKey: join(clientKeys, `${fqrn}.pub`),
    tree,
    publish: (more) => publish(location, tree, { durable: false, xattrs, ...more }),
    listing: () => listTree(tree, xattrs),
    writeListing() {
      const file = join(base, 'listing.jsonl');
      writeFileSync(file, formatListing(this.listing()));
      return file;
    },
    remove: () => rmSync(base, { recursive: true, force: true, maxRetries: 10 }),
  };
  try {
    mkdirSync(tree);
    mkdirSync(clientKeys);
    writeTree(tree);
    await createRepository({ chunkSizes: SAMPLE_CHUNK_SIZES, durable: false, ...create, ...location, fqrn });
    copyFileSync(keyFiles(keysDirectory, fqrn).publicKey, repository.publicKey);
    if (options.publish !== false) await repository.publish();
    return repository;
  } catch (error) {
    repository.remove();
    throw error;
  }
}
