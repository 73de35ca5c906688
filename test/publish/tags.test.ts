import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { listTags, repositoryInfo } from '../../src/publish/repository-info.ts';
import { editTags } from '../../src/publish/tag-edit.ts';
import { makeTestRepository } from '../support/repository.ts';
import { checkRepository } from './checker.ts';

async function tagged(t: ExecutionContext) {
  const writeTree = (directory: string) => writeFileSync(join(directory, 'file'), 'one');
  const repository = await makeTestRepository({ writeTree, xattrs: new Map(), publish: false });
  t.teardown(repository.remove);
  await repository.publish({ tag: { name: 'v1', description: 'the first' } });
  writeFileSync(join(repository.tree, 'file'), 'two');
  await repository.publish();
  const tags = () =>
    listTags(repository.directory)
      .map(({ name, revision }) => `${name} ${revision}`)
      .sort();
  return { repository, tags };
}

test('trunk and trunk-previous follow the revisions, a tag stays with its own', async (t) => {
  const { repository, tags } = await tagged(t);
  t.deepEqual(tags(), ['trunk 2', 'trunk-previous 1', 'v1 1']);
  const trunk = listTags(repository.directory).find(({ name }) => name === 'trunk')!;
  const { manifest, problems } = checkRepository(repository.directory, repository.publicKey);
  t.deepEqual(problems, []);
  t.is(trunk.hash.toString(), manifest.rootHash.toString());
  t.is(trunk.size, manifest.rootSize);
  t.is(listTags(repository.directory).find(({ name }) => name === 'v1')!.description, 'the first');
});

test('tags are added and removed without a new revision', async (t) => {
  const { repository, tags } = await tagged(t);
  await editTags(repository, { add: { name: 'v2' }, durable: false });
  t.deepEqual(tags(), ['trunk 2', 'trunk-previous 1', 'v1 1', 'v2 2']);
  await editTags(repository, { remove: 'v1', durable: false });
  t.deepEqual(tags(), ['trunk 2', 'trunk-previous 1', 'v2 2']);
  const { manifest, problems } = checkRepository(repository.directory, repository.publicKey);
  t.deepEqual(problems, []);
  t.is(manifest.revision, 2);
});

test('a tag on an unchanged tree names the revision that there is', async (t) => {
  const { repository, tags } = await tagged(t);
  const { changed } = await repository.publish({ tag: { name: 'again' } });
  t.false(changed);
  t.deepEqual(tags(), ['again 2', 'trunk 2', 'trunk-previous 1', 'v1 1']);
  t.deepEqual(checkRepository(repository.directory, repository.publicKey).problems, []);
});

test('names that are taken, automatic, or no names are refused and nothing changes', async (t) => {
  const { repository, tags } = await tagged(t);
  const before = tags();
  writeFileSync(join(repository.tree, 'file'), 'three');
  for (const name of ['v1', 'trunk', 'trunk-previous', '', 'a b', 'a/b', 'a\nb']) {
    await t.throwsAsync(editTags(repository, { add: { name } }), { code: 'TAG' }, name);
    await t.throwsAsync(repository.publish({ tag: { name } }), { code: 'TAG' }, name);
  }
  for (const name of ['trunk', 'none']) await t.throwsAsync(editTags(repository, { remove: name }), { code: 'TAG' });
  t.deepEqual(tags(), before);
});

test('what a repository holds can be asked for without keys', async (t) => {
  const { repository } = await tagged(t);
  const info = repositoryInfo(repository.directory);
  t.like(info, {
    name: repository.fqrn,
    revision: 2,
    files: 1,
    directories: 1,
    symlinks: 0,
    size: 3,
    catalogs: 1,
    tags: 3,
  });
  t.throws(() => repositoryInfo(repository.tree), { code: 'NOT_A_REPOSITORY' });
});
