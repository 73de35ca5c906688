// Archives with changes, published on top of what is there. GNU tar makes them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ingest } from '../../src/publish/ingest.ts';
import { makeTestRepository, type TestRepository, type TestRepositoryOptions } from '../support/repository.ts';
import { checkRepository } from './checker.ts';

async function repositoryFor(t: ExecutionContext, options?: TestRepositoryOptions): Promise<TestRepository> {
  const repository = await makeTestRepository(options);
  t.teardown(repository.remove);
  return repository;
}

function paths(repository: TestRepository): string[] {
  const { problems, rows } = checkRepository(repository.directory, repository.publicKey);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return [...rows.keys()].sort();
}

/** An archive of files with these contents; a path that ends with '/' is a directory. */
function archiveOf(repository: TestRepository, files: Readonly<Record<string, string>>, more: string[] = []): string {
  const directory = join(repository.base, `archive-${Object.keys(files).join('-').replaceAll('/', '_')}`);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path.endsWith('/') ? path : join(path, '..')), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(directory, path), content);
  }
  execFileSync('tar', ['-C', directory, '--sort=name', '-cf', `${directory}.tar`, ...more, '.']);
  return `${directory}.tar`;
}

/** Nested catalogs at /a, /a/inner and /b. */
function smallTree(directory: string): void {
  for (const path of ['a', 'a/inner', 'b', 'b/plain']) {
    mkdirSync(join(directory, path), { recursive: true });
    if (path !== 'b/plain') writeFileSync(join(directory, path, '.cvmfscatalog'), '');
    writeFileSync(join(directory, path, 'file'), path);
  }
}

const SMALL = { writeTree: smallTree, xattrs: new Map() };

test('the sample tree with everything in it is published again as it was', async (t) => {
  const repository = await repositoryFor(t);
  const before = paths(repository);
  const { changed, catalogsWritten } = await ingest(repository, archiveOf(repository, { 'new/file': 'new' }), {
    durable: false,
  });
  t.true(changed);
  // The root's alone: all others say the same as before.
  t.is(catalogsWritten, 1);
  t.deepEqual(paths(repository), [...before, '/new', '/new/file'].sort());
});

test('files are added and replaced, names deleted, directories emptied, also across nested catalogs', async (t) => {
  const repository = await repositoryFor(t, SMALL);
  const archive = archiveOf(repository, {
    'a/.wh.inner': '',
    'b/plain/.wh..wh..opq': '',
    'b/plain/other': 'other',
    'b/file': 'another',
    'c/.cvmfscatalog': '',
    'c/file': 'c',
  });
  await ingest(repository, archive, { durable: false });
  t.deepEqual(paths(repository), [
    '',
    '/a',
    '/a/.cvmfscatalog',
    '/a/file',
    '/b',
    '/b/.cvmfscatalog',
    '/b/file',
    '/b/plain',
    '/b/plain/other',
    '/c',
    '/c/.cvmfscatalog',
    '/c/file',
  ]);
});

test('an archive is put below a directory, which is made if it is not there', async (t) => {
  const repository = await repositoryFor(t, SMALL);
  await ingest(repository, archiveOf(repository, { 'x/file': 'x', '.wh.file': '' }), {
    base: '/b/plain/',
    durable: false,
  });
  await ingest(repository, archiveOf(repository, { y: 'y' }), { base: 'new/place', durable: false });
  const found = paths(repository);
  t.true(found.includes('/b/plain/x/file'));
  t.false(found.includes('/b/plain/file'));
  t.true(found.includes('/new/place/y'));
});

test('an archive that is damaged, or names what it must not, changes nothing', async (t) => {
  const repository = await repositoryFor(t, SMALL);
  const outside = archiveOf(repository, { evil: '' }, ['--transform=s,^./evil,../evil,']);
  const reserved = archiveOf(repository, { '.cvmfs/x': '' });
  const broken = join(repository.base, 'broken.tar');
  writeFileSync(broken, 'z'.repeat(4096));
  const before = paths(repository);
  for (const [archive, message] of [
    [outside, /'\.\.' is refused/],
    [reserved, /\.cvmfs is reserved/],
    [broken, /not a tar archive/],
    [join(repository.base, 'missing.tar'), /cannot read .*missing\.tar: ENOENT/],
  ] as const) {
    await t.throwsAsync(ingest(repository, archive, { durable: false }), { name: 'PublishError', message });
  }
  t.deepEqual(paths(repository), before);
});
