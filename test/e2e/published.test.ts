// Repositories of our own publisher, mounted and compared with what was published.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { HashAlgorithm } from '../../src/objects/hash.ts';
import { TestServer } from '../support/http-server.ts';
import { makeTestRepository, type TestRepository, type TestRepositoryOptions } from '../support/repository.ts';
import { type Identity, Installation, identities } from '../support/run-cvmfsexec.ts';
import type { ListingEntry } from '../support/tree-listing.ts';
import { pseudoRandom, writeSampleTree } from '../support/tree-sample.ts';

const place = new Installation();
const listMount = place.bundle('test/support/list-mount.ts');
test.after.always(() => place.close());

/** The sample without its 2000 small files, which one test is enough for. */
function writeShortSample(directory: string): void {
  writeSampleTree(directory);
  rmSync(join(directory, 'many'), { recursive: true });
}

async function made(t: ExecutionContext, options: TestRepositoryOptions = {}): Promise<TestRepository> {
  const repository = await makeTestRepository({ writeTree: writeShortSample, ...options });
  t.teardown(repository.remove);
  return repository;
}

async function served(t: ExecutionContext, root: string): Promise<TestServer> {
  const server = await TestServer.start({ root });
  t.teardown(() => server.close());
  return server;
}

type Parameters = Readonly<Record<string, string>>;

/** As root nothing is claimed, so that owners are compared too. */
function parametersFor(repository: TestRepository, as: Identity, more: Parameters = {}): Parameters {
  const claim = as.name === 'root' ? 'no' : 'yes';
  const url = `file://${repository.serverRoot}/@fqrn@`;
  return { SERVER_URL: url, KEYS_DIR: repository.clientKeys, CLAIM_OWNERSHIP: claim, ...more };
}

/** What `path` in a mount shows. */
async function listed(
  t: ExecutionContext,
  repository: TestRepository,
  as: Identity,
  more?: Parameters,
  path = '',
): Promise<ListingEntry[]> {
  const { fqrn } = repository;
  const parameters = parametersFor(repository, as, more);
  const command = [place.node, listMount, `/cvmfs/${fqrn}${path}`];
  const { exitCode, stdout, stderr } = await place.run({ as, repositories: [fqrn], parameters, command });
  t.is(stderr, '');
  t.is(exitCode, 0);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** What it has to show: a mount has no more variables in its links, and the user owns it all. */
function expected(entries: readonly ListingEntry[], { uid, gid, name }: Identity): ListingEntry[] {
  return entries.map(({ raw_target: _, ...entry }) => (name === 'root' ? entry : { ...entry, uid, gid }));
}

for (const hash of ['sha1', 'rmd160', 'shake128'] as const satisfies readonly HashAlgorithm[]) {
  for (const compression of ['zlib', 'none'] as const) {
    test.serial(`what was published with ${hash} and ${compression} is what is mounted`, async (t) => {
      const whole = hash === 'sha1' && compression === 'zlib';
      const writeTree = whole ? writeSampleTree : writeShortSample;
      const repository = await made(t, { hash, compression, writeTree });
      const server = await served(t, repository.serverRoot);
      const listing = repository.listing();
      for (const as of identities) {
        server.requests.length = 0;
        const found = await listed(t, repository, as, { SERVER_URL: `${server.url}/@fqrn@` });
        t.deepEqual(found, expected(listing, as), as.name);
        t.is(server.paths(/C$/).length, 5, 'root catalog and four nested ones');
        t.is(new Set(server.paths()).size, server.paths().length, 'nothing is fetched twice');
      }
    });
  }
}

test.serial('every tag, root hash and date shows its own revision', async (t) => {
  const writeTree = (directory: string) => writeFileSync(join(directory, 'file'), 'first');
  const repository = await made(t, { writeTree, xattrs: new Map(), publish: false });
  const { manifest } = (await repository.publish({ tag: { name: 'first' } })).repository;
  // Tags are found by the second.
  await sleep(1000 - (Date.now() % 1000) + 50);
  writeFileSync(join(repository.tree, 'file'), 'second');
  await repository.publish({ tag: { name: 'second' } });
  const first = new Date(manifest.publishTime * 1000).toISOString().replace('.000', '');
  const cases: [Parameters, string][] = [
    [{}, 'second 2'],
    [{ REPOSITORY_TAG: 'first' }, 'first 1'],
    [{ REPOSITORY_TAG: 'second' }, 'second 2'],
    [{ REPOSITORY_TAG: 'trunk-previous' }, 'first 1'],
    [{ REPOSITORY_DATE: first }, 'first 1'],
    [{ REPOSITORY_DATE: '2100-01-01T00:00:00Z' }, 'second 2'],
    [{ ROOT_HASH: manifest.rootHash.toString() }, 'first 1'],
  ];
  // One cache for all of them: what was mounted before must not be what is mounted now.
  const cache = place.newPath();
  const script = 'printf "%s " "$(cat file)"; getfattr --only-values -n user.revision .';
  for (const [more, content] of cases) {
    const parameters = parametersFor(repository, identities[0], { CACHE_BASE: cache, ...more });
    const command = ['sh', '-c', `cd /cvmfs/${repository.fqrn} && ${script}`];
    const { stdout, stderr } = await place.run({ repositories: [repository.fqrn], parameters, command });
    t.is(stdout, content, `${JSON.stringify(more)} ${stderr}`);
  }
});

test.serial('a tag or date that does not exist, and what is no date, are refused', async (t) => {
  const repository = await made(t, { writeTree: (directory) => writeFileSync(join(directory, 'file'), 'x') });
  const cases: [Parameters, RegExp][] = [
    [{ REPOSITORY_TAG: 'missing' }, /'?missing'?/],
    [{ REPOSITORY_DATE: '1990-01-01T00:00:00Z' }, /1990/],
    [{ REPOSITORY_DATE: 'yesterday' }, /'yesterday' is not a date: write it as/],
    [{ ROOT_HASH: '0123456789'.repeat(4) }, /no such file/],
  ];
  for (const [more, message] of cases) {
    const parameters = parametersFor(repository, identities[0], more);
    const { exitCode, stdout, stderr } = await place.run({
      repositories: [repository.fqrn],
      parameters,
      command: ['echo', 'ran'],
    });
    t.is(exitCode, 125, stderr);
    t.is(stdout, '');
    t.regex(stderr, message);
    t.regex(stderr, /^cvmfsexec: [^\n]+\n$/);
  }
});

test.serial('ten repositories are mounted at once, each with its own content', async (t) => {
  const served = join(place.directory, 'ten');
  const keys = join(place.directory, 'ten-keys');
  mkdirSync(served);
  mkdirSync(keys);
  const repositories = await Promise.all(
    Array.from({ length: 10 }, (_, i) => {
      const fqrn = `r${i}.example.org`;
      const writeTree = (directory: string) => writeFileSync(join(directory, 'name'), `${fqrn}\n`);
      return made(t, { fqrn, writeTree, xattrs: new Map() });
    }),
  );
  for (const { fqrn, publicKey } of repositories) copyFileSync(publicKey, join(keys, `${fqrn}.pub`));
  const names = repositories.map(({ fqrn }) => fqrn);
  const config = join(place.directory, 'ten-config');
  mkdirSync(join(config, 'config.d'), { recursive: true });
  for (const { fqrn, serverRoot } of repositories) {
    writeFileSync(join(config, 'config.d', `${fqrn}.conf`), `CVMFS_SERVER_URL=file://${serverRoot}/@fqrn@\n`);
  }
  for (const as of identities) {
    const { exitCode, stdout, stderr } = await place.run({
      as,
      repositories: ['--config', config, ...names],
      parameters: { KEYS_DIR: keys },
      command: ['sh', '-c', 'ls /cvmfs; cat /cvmfs/*/name; grep -c "^cvmfs2 /cvmfs/" /proc/mounts'],
    });
    const lines = [...names, ...names, '10', ''].join('\n');
    t.is(stdout, lines, stderr);
    t.is(stderr, '');
    t.is(exitCode, 0);
  }
});

test.serial('snapshots are hidden, and show what was tagged', async (t) => {
  const writeTree = (directory: string) => {
    mkdirSync(join(directory, 'nested/deeper'), { recursive: true });
    writeFileSync(join(directory, 'nested/.cvmfscatalog'), '');
    writeFileSync(join(directory, 'nested/deeper/file'), 'first');
  };
  const repository = await made(t, { writeTree, xattrs: new Map(), snapshots: true, publish: false });
  await repository.publish({ tag: { name: 'v1' } });
  const first = repository.listing();
  writeFileSync(join(repository.tree, 'nested/deeper/file'), 'second');
  writeFileSync(join(repository.tree, 'nested/other'), 'new');
  await repository.publish();
  for (const as of identities) {
    t.deepEqual(await listed(t, repository, as), expected(repository.listing(), as), as.name);
    const found = await listed(t, repository, as, {}, '/.cvmfs/snapshots/v1');
    t.deepEqual(found, expected(first, as), `${as.name}, v1`);
  }
});

test.serial('names of one hard link group share an inode and no other entry has it', async (t) => {
  const repository = await made(t);
  const { stdout, stderr } = await place.run({
    repositories: [repository.fqrn],
    parameters: parametersFor(repository, identities[0]),
    command: ['find', `/cvmfs/${repository.fqrn}`, '-printf', '%i %n %P\\n'],
  });
  const entries = stdout.split('\n').map((line) => /^(\d+) (\d+) (.*)$/.exec(line)?.slice(1) ?? []);
  const inodeOf = (path: string) => entries.find(([, , found]) => found === path)?.[0];
  const linked = ['first', 'second', 'third'].map((name) => inodeOf(`hardlinks/${name}`));
  t.truthy(linked[0], stderr);
  t.is(new Set(linked).size, 1);
  t.deepEqual(
    entries.filter(([inode]) => inode === linked[0]).map(([, links]) => links),
    ['3', '3', '3'],
  );
  const others = entries.map(([inode]) => inode).filter((inode) => inode !== undefined && inode !== linked[0]);
  t.is(new Set(others).size, others.length);
});

/** Prints the SHA-256 of all the stretches of a file, each read by one pread. */
const READ_STRETCHES = `
const fs = require('node:fs');
const fd = fs.openSync(process.argv[1]);
const hash = require('node:crypto').createHash('sha256');
for (const [offset, length] of JSON.parse(process.argv[2])) {
  const buffer = Buffer.alloc(length);
  hash.update(buffer.subarray(0, fs.readSync(fd, buffer, 0, length, offset)));
}
console.log(hash.digest('hex'));`;

test.serial('a large chunked file is the same wherever it is read', async (t) => {
  const content = pseudoRandom(6_000_123, 7);
  const repository = await made(t, {
    writeTree: (directory) => writeFileSync(join(directory, 'large'), content),
    xattrs: new Map(),
    chunkSizes: { min: 64 << 10, average: 128 << 10, max: 256 << 10 },
  });
  const server = await served(t, repository.serverRoot);
  const random = pseudoRandom(300 * 8, 8);
  const stretches = Array.from({ length: 300 }, (_, i) => [
    random.readUInt32LE(i * 8) % (content.length + 1000),
    random.readUInt32LE(i * 8 + 4) % (i % 10 === 0 ? 1_000_000 : 20_000),
  ]);
  const digest = createHash('sha256');
  for (const [offset, length] of stretches) digest.update(content.subarray(offset, offset + length));
  const want = digest.digest('hex');
  for (const as of identities) {
    const { stdout, stderr } = await place.run({
      as,
      repositories: [repository.fqrn],
      parameters: parametersFor(repository, as, { SERVER_URL: `${server.url}/@fqrn@` }),
      command: [place.node, '-e', READ_STRETCHES, `/cvmfs/${repository.fqrn}/large`, JSON.stringify(stretches)],
    });
    t.is(stdout, `${want}\n`, stderr);
  }
  t.true(new Set(server.paths(/P$/)).size > 20, 'it has many chunks');
});
