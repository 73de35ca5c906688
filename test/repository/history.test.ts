import test from 'ava';
import { parseTagDate, readHistory, tagByDate, tagByName } from '../../src/repository/history.ts';
import { parseManifest } from '../../src/repository/manifest.ts';
import { fixtureFile, fixtureNames, fixtureRepository, localObject, needsFixtures } from './fixtures.ts';
import { historyFile, type MadeTag } from './made-history.ts';
import { parseTagLine } from './tag-list.ts';

const read = (tags: readonly MadeTag[], schemaRevision?: number, schema?: string) =>
  readHistory(localObject(historyFile(tags, schemaRevision, schema)));

test('the tags of every fixture repository are those the reference lists', async (t) => {
  if (!needsFixtures(t)) return;
  for (const fqrn of fixtureNames) {
    const repository = fixtureRepository(t, fqrn);
    const tags = readHistory(await repository.object(parseManifest(repository.read('/.cvmfspublished')).history!, 'H'));
    const expected = fixtureFile(`${fqrn}.tags.txt`).toString().trim().split('\n').map(parseTagLine);
    for (const tag of expected) t.deepEqual(tagByName(tags, tag.name), tag);
    t.is(tags.length, expected.length);
  }
});

for (let schemaRevision = 0; schemaRevision <= 3; schemaRevision++) {
  test(`a history of schema revision ${schemaRevision} is read`, (t) => {
    const [tag] = read([{ name: 'v1', revision: 2 }], schemaRevision);
    t.like(tag, {
      name: 'v1',
      revision: 2,
      timestamp: 2,
      size: schemaRevision >= 1 ? 5 : 0,
      branch: '',
      description: 'of v1',
    });
  });
}

test('tags come newest first', (t) => {
  const tags = read([
    { name: 'a', revision: 1, timestamp: 10 },
    { name: 'b', revision: 3, timestamp: 20 },
    { name: 'c', revision: 2, timestamp: 20 },
  ]);
  t.deepEqual(
    tags.map(({ name }) => name),
    ['b', 'c', 'a'],
  );
});

test('a tag is found by its exact name, in any script', (t) => {
  const tags = read([
    { name: 'v1', revision: 1 },
    { name: 'größe', revision: 2 },
  ]);
  t.is(tagByName(tags, 'größe').revision, 2);
  t.throws(() => tagByName(tags, 'V1'), { code: 'NoSuchTag', message: /'V1'.*v1/ });
  t.throws(() => tagByName(tags, ''), { code: 'NoSuchTag' });
  t.throws(() => tagByName([], 'x'), { code: 'NoSuchTag', message: /none/ });
});

test('by date, it is the highest revision of the main branch that was there', (t) => {
  const tags = read([
    { name: 'old', revision: 1, timestamp: 100 },
    { name: 'rolled back', revision: 3, timestamp: 150 },
    { name: 'later', revision: 2, timestamp: 180 },
    { name: 'branched', revision: 9, timestamp: 120, branch: 'feature' },
    { name: 'new', revision: 4, timestamp: 200 },
  ]);
  t.is(tagByDate(tags, 199).name, 'rolled back');
  t.is(tagByDate(tags, 200).name, 'new');
  t.is(tagByDate(tags, 100).name, 'old');
  t.throws(() => tagByDate(tags, 99), { code: 'NoSuchTag', message: /1970-01-01T00:01:39/ });
});

test('without branches every tag counts for the date', (t) => {
  t.is(tagByDate(read([{ name: 'a', revision: 1 }], 2), 5).name, 'a');
});

test('a date has exactly one form', (t) => {
  t.is(parseTagDate('2026-11-24T14:13:00Z'), Date.UTC(2026, 10, 24, 14, 13) / 1000);
  for (const text of [
    '',
    '2026-11-24',
    '2026-11-24T14:13:00',
    '2026-11-24 14:13:00Z',
    '2026-13-24T14:13:00Z',
    '2026-11-24T14:13:00Zx',
    '2026-11-24T14:13:61Z',
  ]) {
    t.throws(() => parseTagDate(text), { code: 'BadDate' }, text);
  }
});

test('another schema, or a tag without root catalog, is refused', (t) => {
  t.throws(() => read([], 3, '2.0'), { code: 'BadHistory', message: /schema 2.0/ });
  t.throws(() => read([{ name: 'a', revision: 1, hash: 'x' }]), { code: 'BadHistory', message: /tag a/ });
});
