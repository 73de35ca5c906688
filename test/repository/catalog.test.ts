import test, { type ExecutionContext } from 'ava';
import type { ContentHash } from '../../src/objects/hash.ts';
import { parseManifest } from '../../src/repository/manifest.ts';
import { allCatalogs, fixtureEntry, listRepository, openCatalog } from './catalog-listing.ts';
import {
  fixtureFile,
  fixtureNames,
  fixtureRepository,
  hasFixtureFile,
  needsFixtures,
  type TestRepository,
} from './fixtures.ts';
import { type MadeCatalog, openMade, pathHash } from './made-catalog.ts';
import { parseTagLine } from './tag-list.ts';

const lines = (file: string) => fixtureFile(file).toString().trim().split('\n');

async function comparesToListing(t: ExecutionContext, repository: TestRepository, root: ContentHash, file: string) {
  const expected = lines(file).map(fixtureEntry);
  const listed = new Map((await listRepository(repository, root)).map((entry) => [entry.path, entry]));
  t.is(listed.size, expected.length);
  // The listings of older revisions do not have the unexpanded targets.
  const rawTargets = expected.some((entry) => entry.raw_target);
  for (const entry of expected) {
    const { raw_target, ...shown } = listed.get(entry.path) ?? {};
    t.deepEqual(rawTargets && raw_target ? { ...shown, raw_target } : shown, entry);
  }
}

for (const fqrn of fixtureNames) {
  test(`every row and file of ${fqrn} is what the reference client shows`, async (t) => {
    const repository = fixtureRepository(t, fqrn);
    const { rootHash } = parseManifest(repository.read('/.cvmfspublished'));
    await comparesToListing(t, repository, rootHash, `${fqrn}.manifest.jsonl`);
  });

  for (const { name, hash } of lines(`${fqrn}.tags.txt`).map(parseTagLine)) {
    const file = `${fqrn}@${name}.manifest.jsonl.gz`;
    if (!hasFixtureFile(file)) continue;
    test(`revision ${name} of ${fqrn} is what the reference client showed`, async (t) => {
      await comparesToListing(t, fixtureRepository(t, fqrn), hash, file);
    });
  }

  test(`the catalogs of ${fqrn} have the hash, size and place the reference names`, async (t) => {
    const repository = fixtureRepository(t, fqrn);
    const { rootHash } = parseManifest(repository.read('/.cvmfspublished'));
    const catalogs = new Map(
      (await allCatalogs(repository, rootHash)).map((catalog) => [catalog.hash.toString(), catalog]),
    );
    for (const line of lines(`${fqrn}.catalogs.txt`)) {
      const [hash = '', size = '', entries = '', path = ''] = line.split(' ');
      const catalog = catalogs.get(hash)!;
      t.is(catalog.rootPrefix, path === '/' ? '' : path);
      t.is(catalog.counters.selfEntries, Number(entries));
      t.is([...catalog.rows()].length, Number(entries));
      t.is(repository.open(catalog.hash)!.size, Number.parseInt(size, 10));
    }
  });
}

test('every row of a real catalog is found by its path, and holds the row of its parent', async (t) => {
  if (!needsFixtures(t)) return;
  const repository = fixtureRepository(t, 'small.example.org');
  const catalog = await openCatalog(repository, parseManifest(repository.read('/.cvmfspublished')).rootHash);
  for (const entry of catalog.rows()) {
    t.is(catalog.lookup(entry), entry.rowid);
    t.deepEqual(catalog.row(entry.rowid), entry);
    if (entry.rowid === catalog.rootRow) continue;
    const siblings: number[] = [];
    catalog.children(catalog.row(catalog.parentRow(entry))!, siblings);
    t.true(siblings.includes(entry.rowid));
  }
  t.is(catalog.lookup(pathHash('/no such path')), 0);
  t.is(catalog.row(catalog.maxRowid + 1), undefined);
  t.is(catalog.parentRow(catalog.row(catalog.rootRow)!), 0);
});

test('snapshots are bind mountpoints in the hidden catalog', async (t) => {
  if (!needsFixtures(t)) return;
  const repository = fixtureRepository(t, 'hash.example.org');
  const root = await openCatalog(repository, parseManifest(repository.read('/.cvmfspublished')).rootHash);
  const hidden = await openCatalog(repository, root.nested.get('/.cvmfs')!.hash);
  const snapshot = hidden.nested.get('/.cvmfs/snapshots/v1')!;
  t.is(hidden.rootPrefix, '/.cvmfs');
  t.is(snapshot.hash.toString(), 'a97bbfa6e49c1b931714152615db8f4c794f51bd-shake128');
  t.is((await openCatalog(repository, snapshot.hash)).rootPrefix, '');
});

for (let schemaRevision = 0; schemaRevision <= 8; schemaRevision++) {
  test(`a catalog of schema 2.5 revision ${schemaRevision} is read`, (t) => {
    const hash = 'ef'.repeat(20);
    const xattr = Buffer.from('01010803757365722e666f6f626172', 'hex');
    const catalog = openMade({
      schemaRevision,
      properties: { revision: '5', last_modified: '77' },
      rows: [
        {
          path: '/f',
          size: 3,
          hash: Buffer.from(hash, 'hex'),
          ...(schemaRevision >= 7 ? { mtimens: 999_999_999 } : {}),
          ...(schemaRevision >= 2 ? { xattr } : {}),
        },
      ],
      after: `INSERT INTO nested_catalogs (path, sha1) VALUES ('/n', '${hash}');`,
    });
    const entry = catalog.row(catalog.lookup(pathHash('/f')))!;
    t.like(entry, {
      name: 'f',
      size: 3,
      mtimeNs: schemaRevision >= 7 ? 999_999_999 : 0,
      linkCount: 1,
      hardlinkGroup: 0,
    });
    t.is(entry.hash?.toString(), hash);
    t.is(catalog.xattrs(entry.rowid).get('user.foo')?.toString(), schemaRevision >= 2 ? 'bar' : undefined);
    t.is(catalog.nested.get('/n')?.hash.hex, hash);
    t.like(catalog, { revision: 5, lastModified: 77, ttl: 240, rootPrefix: '', maxRowid: 2, rootRow: 1 });
    t.is(catalog.counters.allEntries, 2);
    catalog.close();
  });
}

test('schema 2.4 is read like revision 0', (t) => {
  t.is(openMade({ schema: '2.4', schemaRevision: 0 }).properties.schemaRevision, 0);
});

for (const schema of [null, '1.0', '1.2', '2.0', '2.3', '2.6', '3.0', 'nonsense']) {
  test(`schema ${schema ?? 'without name'} is refused`, (t) => {
    t.throws(() => openMade({ schema }), { code: 'BadSchema' });
  });
}

const REFUSED: Record<string, MadeCatalog> = {
  'without a row for its root directory': { root: false },
  'without the root directory it says it is for': { after: "INSERT INTO properties VALUES ('root_prefix', '/x')" },
  'without a counter': { after: "DELETE FROM statistics WHERE counter = 'subtree_special'" },
  'without the table of bind mountpoints': { after: 'DROP TABLE bind_mountpoints' },
  'without the table of chunks': { after: 'DROP TABLE chunks' },
  'without the table of entries': { after: 'DROP TABLE catalog' },
  'without a column of its revision': { after: 'ALTER TABLE catalog DROP COLUMN mtimens' },
};

for (const [what, made] of Object.entries(REFUSED)) {
  test(`a catalog ${what} is refused`, (t) => {
    t.throws(() => openMade(made), { name: 'RepositoryError', code: 'BadCatalog', message: /^the catalog abab/ });
  });
}

test('columns are taken by their name, not by their place', (t) => {
  const catalog = openMade({
    schemaRevision: 6,
    rows: [{ path: '/f' }],
    after:
      "ALTER TABLE catalog ADD COLUMN mtimens INTEGER; UPDATE catalog SET mtimens = 5; UPDATE properties SET value = '7' WHERE key = 'schema_revision'",
  });
  t.is(catalog.row(2)?.mtimeNs, 5);
});

test('directories can be listed without an index by parent', (t) => {
  const rows = [{ path: '/a' }, { path: '/b' }, { path: '/b/c' }];
  const catalog = openMade({ rows, after: 'DROP INDEX idx_catalog_parent' });
  const listed: number[] = [];
  catalog.children(pathHash(''), listed);
  t.deepEqual(
    listed.map((rowid) => catalog.row(rowid)?.name),
    ['a', 'b'],
  );
});

test('names are bytes', (t) => {
  const catalog = openMade({ rows: [{ path: '/m\u00e9' }] });
  t.is(catalog.row(catalog.lookup(pathHash('/m\u00e9')))?.name, 'm\u00e9');
});

test('numbers at the edges of their range are read exactly', (t) => {
  const edge = { mtime: -(2 ** 40), size: 2 ** 52 + 1, hardlinks: 0xfffffffe00000003n - (1n << 64n), uid: 2 ** 32 - 2 };
  const catalog = openMade({ rows: [{ path: '/f', ...edge, mtimens: null }] });
  t.like(catalog.row(2), {
    mtime: -(2 ** 40),
    size: 2 ** 52 + 1,
    linkCount: 3,
    hardlinkGroup: 0xfffffffe,
    uid: 2 ** 32 - 2,
  });
});

for (const [what, columns] of Object.entries({
  'a negative size': { size: -1 },
  'no link target': { symlink: null },
})) {
  test(`a row with ${what} is an error`, (t) => {
    const catalog = openMade({ rows: [{ path: '/f', ...columns }] });
    t.throws(() => catalog.row(2), { code: 'BadCatalog' });
  });
}

test('a content hash of a wrong length or an unknown algorithm is an error', (t) => {
  const rows = [
    { path: '/short', hash: Buffer.alloc(19) },
    { path: '/unknown', hash: Buffer.alloc(20), flags: 0x304 },
    { path: '/compressed', flags: 0x1004 },
    { path: '/none', hash: Buffer.alloc(0) },
  ];
  const catalog = openMade({ rows });
  t.throws(() => catalog.row(2)?.hash, { code: 'BadCatalog' });
  t.throws(() => catalog.row(3)?.hash, { code: 'BadCatalog' });
  t.throws(() => catalog.row(4)?.compression, { code: 'BadCatalog' });
  t.is(catalog.row(5)?.hash, undefined);
});

test('a nested catalog without a usable hash has the null hash', (t) => {
  const after = "INSERT INTO nested_catalogs VALUES ('/a', 'nonsense', 1), ('/b', NULL, NULL)";
  const { nested } = openMade({ after });
  t.true(nested.get('/a')?.hash.isNull);
  t.like(nested.get('/b'), { size: 0 });
  t.true(nested.get('/b')?.hash.isNull);
});

test('a catalog whose rows go beyond what files can be numbered by is refused', (t) => {
  const after = `UPDATE catalog SET rowid = ${2 ** 31} WHERE name = 'far'`;
  t.throws(() => openMade({ rows: [{ path: '/far' }], after }), {
    code: 'BadCatalog',
    message: /rows go up to 2147483648/,
  });
});
