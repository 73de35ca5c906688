import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { HashAlgorithm } from '../../src/objects/hash.ts';
import type { Compression } from '../../src/objects/object.ts';
import { makeTestRepository, type TestRepository, type TestRepositoryOptions } from '../support/repository.ts';
import type { ListingEntry } from '../support/tree-listing.ts';
import { checkRepository } from './checker.ts';

async function repositoryFor(t: ExecutionContext, options?: TestRepositoryOptions): Promise<TestRepository> {
  const repository = await makeTestRepository(options);
  t.teardown(repository.remove);
  return repository;
}

function check(t: ExecutionContext, repository: TestRepository) {
  const result = checkRepository(repository.directory, repository.publicKey);
  t.deepEqual(result.problems, []);
  return result;
}

/** Paths of all files that are served. */
function served(repository: TestRepository): string[] {
  return readdirSync(repository.directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('data/txn'))
    .sort();
}

/** A tree with few entries, two levels of nested catalogs and nothing in the root. */
function smallTree(directory: string): void {
  const file = (path: string, content: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  };
  file('top', 'top');
  for (const path of ['a', 'a/inner', 'b']) {
    file(`${path}/.cvmfscatalog`, '');
    file(`${path}/file`, path);
  }
}

for (const hash of ['sha1', 'rmd160', 'shake128'] satisfies HashAlgorithm[]) {
  for (const compression of ['zlib', 'none'] satisfies Compression[]) {
    test(`a repository with ${hash} and ${compression} passes the checker and holds the tree`, async (t) => {
      const repository = await repositoryFor(t, { hash, compression, metainfo: { administrator: 'nobody' } });
      const { rows, manifest, catalogs } = check(t, repository);
      t.is(manifest.revision, 1);
      t.is(manifest.rootHash.algorithm, hash);
      t.deepEqual([...catalogs.keys()].sort(), ['', '/data', '/software', '/software/1.0', '/software/2.0']);
      const listing = repository.listing();
      t.is(rows.size, listing.length);
      for (const entry of listing) {
        const path = entry.path_b64 === undefined ? Buffer.from(entry.path) : Buffer.from(entry.path_b64, 'base64');
        const row = rows.get(entry.path === '/' ? '' : path.toString('latin1'))!;
        t.is(row.mode & 0o7777, Number.parseInt(entry.mode, 8), entry.path);
        t.is(row.mtime, `${entry.mtime}.${entry.mtime_ns ?? 0}`, entry.path);
        t.is(row.hasXattrs, entry.xattrs !== undefined, entry.path);
        if (entry.type !== 'dir') t.is(row.links, entry.nlink!, entry.path);
        if (entry.type === 'file') t.is(row.size, entry.size!, entry.path);
        if (entry.type === 'symlink') t.is(row.symlink, rawTarget(entry), entry.path);
        if (entry.rdev !== undefined) t.is(row.size, deviceNumber(entry.rdev), entry.path);
      }
      for (const name of ['chunked-random', 'chunked-zeros', 'chunked-text'])
        t.truthy(rows.get(`/files/${name}`)!.flags & 64);
      for (const name of ['empty', 'exactly-min']) t.falsy(rows.get(`/files/${name}`)!.flags & 64);
    });
  }
}

function rawTarget({ target, target_b64, raw_target }: ListingEntry): string {
  const bytes = target_b64 === undefined ? Buffer.from(raw_target ?? target!) : Buffer.from(target_b64, 'base64');
  return bytes.toString('latin1');
}

/** The values of client.md §12.10 come from this. */
function deviceNumber([major, minor]: [number, number]): number {
  return (
    (minor & 0xff) + (major & 0xfff) * 256 + Math.floor(minor / 256) * 2 ** 20 + Math.floor(major / 4096) * 2 ** 44
  );
}

test('a new repository is an empty directory of revision 0 that passes the checker', async (t) => {
  const repository = await repositoryFor(t, { publish: false });
  const { rows, manifest } = check(t, repository);
  t.deepEqual([...rows.keys()], ['']);
  t.is(manifest.revision, 0);
  t.is(readdirSync(join(repository.directory, 'data')).length, 257);
});

test('the same tree again writes nothing at all', async (t) => {
  const repository = await repositoryFor(t);
  const before = new Map(served(repository).map((path) => [path, statSync(join(repository.directory, path)).mtimeMs]));
  const again = await repository.publish();
  t.false(again.changed);
  t.is(again.objectsWritten, 0);
  t.is(again.catalogsWritten, 0);
  t.deepEqual(
    new Map(served(repository).map((path) => [path, statSync(join(repository.directory, path)).mtimeMs])),
    before,
  );
});

test('a change in a nested catalog writes its data, it and its ancestors only', async (t) => {
  const repository = await repositoryFor(t, { writeTree: smallTree, xattrs: new Map() });
  const before = check(t, repository).catalogs;
  writeFileSync(join(repository.tree, 'a/inner/file'), 'changed');
  const publication = await repository.publish();
  const after = check(t, repository).catalogs;
  t.is(publication.catalogsWritten, 3);
  // The file, three catalogs and the history.
  t.is(publication.objectsWritten, 5);
  t.deepEqual(after.get('/b'), before.get('/b'));
  for (const path of ['', '/a', '/a/inner']) {
    t.is(after.get(path)!.previous, before.get(path)!.hash, path);
    t.is(after.get(path)!.revision, before.get(path)!.revision + 1, path);
  }
});

test('nested catalogs come and go with their marker', async (t) => {
  const repository = await repositoryFor(t, { writeTree: smallTree, xattrs: new Map() });
  rmSync(join(repository.tree, 'a/.cvmfscatalog'));
  writeFileSync(join(repository.tree, 'b/.cvmfscatalog'), 'a marker may have content');
  await repository.publish();
  t.deepEqual([...check(t, repository).catalogs.keys()].sort(), ['', '/a/inner', '/b']);
  writeFileSync(join(repository.tree, 'a/.cvmfscatalog'), '');
  await repository.publish();
  const { catalogs } = check(t, repository);
  t.deepEqual([...catalogs.keys()].sort(), ['', '/a', '/a/inner', '/b']);
  t.is(catalogs.get('/a')!.previous, '0'.repeat(40));
});

test('given paths begin nested catalogs without a marker on the disk', async (t) => {
  const writeTree = (directory: string) => mkdirSync(join(directory, 'apps/one/deeper'), { recursive: true });
  const repository = await repositoryFor(t, { writeTree, xattrs: new Map(), catalogPaths: ['/apps', '/apps/*'] });
  const { catalogs, rows } = check(t, repository);
  t.deepEqual([...catalogs.keys()].sort(), ['', '/apps', '/apps/one']);
  t.true(rows.has('/apps/one/.cvmfscatalog'));
  t.false((await repository.publish()).changed);
});

test('a marker that is no regular file, and the reserved name .cvmfs, are refused', async (t) => {
  const repository = await repositoryFor(t, { writeTree: smallTree, xattrs: new Map() });
  mkdirSync(join(repository.tree, 'c/.cvmfscatalog'), { recursive: true });
  await t.throwsAsync(repository.publish(), { code: 'TREE', message: /marker/ });
  rmSync(join(repository.tree, 'c'), { recursive: true });
  mkdirSync(join(repository.tree, '.cvmfs'));
  await t.throwsAsync(repository.publish(), { code: 'TREE', message: /reserved/ });
});

test('hidden snapshots show each named tag but not the one that is being made', async (t) => {
  const repository = await repositoryFor(t, {
    writeTree: smallTree,
    xattrs: new Map(),
    snapshots: true,
    publish: false,
  });
  await repository.publish({ tag: { name: 'v1', description: 'first' } });
  t.false(check(t, repository).rows.has('/.cvmfs'));
  writeFileSync(join(repository.tree, 'b/file'), 'second');
  await repository.publish({ tag: { name: 'v2' } });
  const { rows } = check(t, repository);
  t.is(rows.get('/.cvmfs')!.flags, 0x8021);
  t.is(rows.get('/.cvmfs/snapshots/v1')!.flags, 0x4001);
  t.is(rows.get('/.cvmfs/snapshots/v1')!.links, 4);
  t.false(rows.has('/.cvmfs/snapshots/v2'));
  t.false(rows.has('/.cvmfs/snapshots/trunk'));
});

test('root catalog and certificate are at the alternative path, and only the newest', async (t) => {
  const repository = await repositoryFor(t, { writeTree: smallTree, xattrs: new Map(), alternativePath: true });
  writeFileSync(join(repository.tree, 'top'), 'other');
  await repository.publish();
  const { manifest } = check(t, repository);
  t.true(manifest.alternativePath);
  t.is(served(repository).filter((path) => path.startsWith('.cvmfsalt')).length, 2);
});

test('a file that appears in several places is stored once, and a web server may read it, but not the keys', async (t) => {
  const writeTree = (directory: string) => {
    for (const name of ['one', 'two', 'three']) writeFileSync(join(directory, name), 'the same');
  };
  const repository = await repositoryFor(t, { writeTree, xattrs: new Map() });
  const { rows } = check(t, repository);
  t.is(new Set(['one', 'two', 'three'].map((name) => rows.get(`/${name}`)!.hash)).size, 1);
  const modes = served(repository).map((path) => statSync(join(repository.directory, path)).mode & 0o444);
  const readable = 0o444 & ~process.umask();
  t.true(modes.every((mode) => mode === readable));
  t.is(statSync(join(repository.keysDirectory, `${repository.fqrn}.masterkey`)).mode & 0o077, 0);
});

test('a damaged object of the newest revision stops a publication and leaves the revision', async (t) => {
  const repository = await repositoryFor(t, { writeTree: smallTree, xattrs: new Map() });
  const { manifest } = check(t, repository);
  const path = join(repository.directory, `data/${manifest.rootHash.hex.slice(0, 2)}/${manifest.rootHash.tail}C`);
  appendFileSync(path, 'x');
  const before = readFileSync(join(repository.directory, '.cvmfspublished'));
  writeFileSync(join(repository.tree, 'top'), 'other');
  await t.throwsAsync(repository.publish(), { code: 'DAMAGED' });
  t.deepEqual(readFileSync(join(repository.directory, '.cvmfspublished')), before);
});
