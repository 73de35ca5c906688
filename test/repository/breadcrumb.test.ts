import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { encodeBreadcrumb, parseBreadcrumb, readBreadcrumb, writeBreadcrumb } from '../../src/repository/breadcrumb.ts';
import { contentHash } from './arbitrary.ts';

const HASH = `${'0'.repeat(39)}1`;
const breadcrumb = fc.record({
  rootHash: contentHash,
  timestamp: fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 }).map((value) => value + 1),
  revision: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
});

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(`${tmpdir()}/breadcrumb-test-`);
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('every breadcrumb is read back as it was written', (t) => {
  fc.assert(fc.property(breadcrumb, (value) => void t.deepEqual(parseBreadcrumb(encodeBreadcrumb(value)), value)));
});

test('the revision may be missing', (t) => {
  t.like(parseBreadcrumb(`${HASH}T1`), { timestamp: 1, revision: 0 });
  t.like(parseBreadcrumb(`${HASH}T1R10`), { timestamp: 1, revision: 10 });
});

for (const text of [
  '',
  '0',
  'T',
  '0T',
  `${HASH}T0`,
  `${HASH}T`,
  HASH,
  `${'0'.repeat(40)}T5R1`,
  `${HASH}T-1`,
  `${HASH}T1R`,
  `${HASH}T${'9'.repeat(400)}`,
]) {
  test(`"${text.slice(0, 50)}" is no breadcrumb`, (t) => {
    t.is(parseBreadcrumb(text), undefined);
  });
}

test('random text never crashes', (t) => {
  fc.assert(fc.property(fc.string(), (text) => void t.is(parseBreadcrumb(text), undefined)));
});

test('it is kept in a private file under the name the reference uses, replaced at once', (t) => {
  const path = directory(t);
  t.is(readBreadcrumb(path, 'a.example.org'), undefined);
  for (const [value] of fc.sample(fc.tuple(breadcrumb), 3)) {
    writeBreadcrumb(path, 'a.example.org', value!);
    t.deepEqual(readBreadcrumb(path, 'a.example.org'), value);
    t.is(readFileSync(`${path}/cvmfschecksum.a.example.org`, 'latin1'), encodeBreadcrumb(value!));
  }
  t.deepEqual(readdirSync(path), ['cvmfschecksum.a.example.org']);
  t.is(statSync(`${path}/cvmfschecksum.a.example.org`).mode & 0o777, 0o600);
});

test('a damaged or endless file counts as none', (t) => {
  const path = directory(t);
  writeFileSync(`${path}/cvmfschecksum.a.b`, 'x'.repeat(100_000));
  t.is(readBreadcrumb(path, 'a.b'), undefined);
});

test('when it cannot be written nothing is left behind', (t) => {
  const path = directory(t);
  const value = parseBreadcrumb(`${HASH}T1R10`)!;
  t.throws(() => writeBreadcrumb(`${path}/none`, 'a.b', value), { code: 'ENOENT' });
  t.deepEqual(readdirSync(path), []);
});
