// The checker must pass what the reference makes, and find each fault: else its silence about our work says nothing.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import test from 'ava';
import { makeTestRepository } from '../support/repository.ts';
import { checkRepository } from './checker.ts';
import { type CatalogData, checkCatalog, pathKey, type Row, readCatalog } from './checker-catalog.ts';

const fixtures = join(import.meta.dirname, '../../../shared/fixtures');

for (const name of ['small', 'hash', 'config', 'ext']) {
  test(`the reference's own repository ${name}.example.org passes`, (t) => {
    const archive = join(fixtures, `${name}.example.org.tar.gz`);
    if (!existsSync(archive)) {
      t.log('no fixtures beside the checkout: skipped');
      t.pass();
      return;
    }
    const base = mkdtempSync(join(tmpdir(), 'fixture-'));
    t.teardown(() => rmSync(base, { recursive: true, force: true }));
    t.is(spawnSync('tar', ['-xzf', archive, '-C', base]).status, 0);
    const key = join(fixtures, 'keys', `${name}.example.org.pub`);
    t.deepEqual(checkRepository(join(base, `${name}.example.org`), key).problems, []);
  });
}

/** Changes the row of a path. */
function change(path: string, fields: Partial<Row>) {
  return (catalog: CatalogData): CatalogData => ({
    ...catalog,
    rows: catalog.rows.map((row) => (row.key === pathKey(path) ? { ...row, ...fields } : row)),
  });
}

const FAULTS: Record<string, (catalog: CatalogData) => CatalogData> = {
  'empty name': change('/README', { name: '' }),
  'md5path is not that of its path': change('/README', { name: 'OTHER' }),
  'link count 0': change('/README', { links: 0 }),
  'symlink is NULL': change('/README', { symlink: 'NULL' }),
  'link count 3 instead of': change('/files', { links: 3 }),
  'regular file without hash': change('/README', { hash: undefined }),
  'hash on something that is no file': change('/files', { hash: '00' }),
  'both bind and nested': change('/software', { flags: 0x4003 }),
  'is not complete': change('/hardlinks/first', { group: 99, links: 3 }),
  'is not uniform': change('/hardlinks/first', { mtime: '0.0' }),
  'link count above 1 without a group': change('/hardlinks/first', { group: 0 }),
  'gap between chunks': (catalog) => ({
    ...catalog,
    chunks: new Map([...catalog.chunks].map(([key, list]) => [key, list.slice(1)])),
  }),
  'chunks of an unchunked file': change('/files/chunked-text', { flags: 4, hash: '0'.repeat(40) }),
  'chunks do not add up': change('/files/chunked-text', { size: 1 }),
  'mountpoint without reference': (catalog) => ({ ...catalog, nested: catalog.nested.slice(1) }),
  'nested rows do not add up': (catalog) => ({ ...catalog, nested: [] }),
  'rows cannot be reached': change('/README', { parentKey: '1,1' }),
  'marker in a directory': (catalog) => ({
    ...catalog,
    rows: catalog.rows.map((row) => (row.key === pathKey('/files/empty') ? { ...row, name: '.cvmfscatalog' } : row)),
  }),
  'flag 32 of the root row': change('', { flags: 33 }),
  'root_prefix is not its path': (catalog) => ({ ...catalog, properties: new Map([['root_prefix', '/x']]) }),
};

test('each fault of a catalog is found', async (t) => {
  const repository = await makeTestRepository();
  t.teardown(repository.remove);
  const { hex } = checkRepository(repository.directory, repository.publicKey).manifest.rootHash;
  const file = join(repository.base, 'catalog');
  writeFileSync(
    file,
    inflateSync(readFileSync(join(repository.directory, `data/${hex.slice(0, 2)}/${hex.slice(2)}C`))),
  );
  const catalog = readCatalog(file);
  t.deepEqual(checkCatalog('', catalog).problems, []);
  for (const [expected, damage] of Object.entries(FAULTS)) {
    const { problems } = checkCatalog('', damage(catalog));
    t.true(
      problems.some((problem) => problem.includes(expected)),
      `${expected}: found ${problems.join('; ')}`,
    );
  }
});

test('missing and changed objects and a reflog of another revision are found', async (t) => {
  const repository = await makeTestRepository();
  t.teardown(repository.remove);
  const path = (name: string) => join(repository.directory, name);
  const { rows } = checkRepository(repository.directory, repository.publicKey);
  const object = (file: string) => path(`data/${rows.get(file)!.hash!.replace(/^../, '$&/')}`);
  rmSync(object('/README'));
  appendFileSync(object('/files/text'), 'x');
  appendFileSync(path('.cvmfsreflog'), 'x');
  const { problems } = checkRepository(repository.directory, repository.publicKey);
  for (const expected of [': missing', ': wrong hash', '.cvmfsreflog: hash']) {
    t.is(problems.filter((problem) => problem.includes(expected)).length, 1, expected);
  }
});
