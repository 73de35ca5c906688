import test from 'ava';
import fc from 'fast-check';
import { ContentHash } from '../../src/objects/hash.ts';
import { encodeManifest, type Manifest, parseManifest, ROOT_PATH_MD5 } from '../../src/repository/manifest.ts';
import { contentHash } from './arbitrary.ts';

const ROOT = 'a'.repeat(40);
const LEAST = `C${ROOT}\nR${ROOT_PATH_MD5}\nD240\nS6\n`;
const parse = (text: string) => parseManifest(Buffer.from(text, 'latin1'));

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const manifest: fc.Arbitrary<Manifest> = fc.record({
  rootHash: contentHash,
  rootSize: number,
  rootPathMd5: fc.constant(ROOT_PATH_MD5),
  ttl: number,
  revision: number,
  garbageCollectable: fc.boolean(),
  alternativePath: fc.boolean(),
  name: fc.stringMatching(/^[a-z.-]{0,60}$/),
  certificate: fc.option(contentHash, { nil: undefined }),
  history: fc.option(contentHash, { nil: undefined }),
  publishTime: number,
  metainfo: fc.option(contentHash, { nil: undefined }),
  reflog: fc.option(contentHash, { nil: undefined }),
});

test('every manifest is read back as it was written', (t) => {
  fc.assert(fc.property(manifest, (value) => void t.deepEqual(parseManifest(encodeManifest(value)), value)));
});

test('the fields are written in the order of the reference', (t) => {
  const value = parse(`${LEAST}Y${ROOT}\nM${ROOT}\nH${ROOT}\nX${ROOT}\nNa.b\nT5\n`);
  const keys = encodeManifest(value)
    .toString()
    .split('\n')
    .map((line) => line[0] ?? '');
  t.is(keys.join(''), 'CBRDSGANXHTMY');
});

test('what is optional may be absent', (t) => {
  const value = parse(LEAST);
  t.is(value.rootHash.hex, ROOT);
  t.like(value, { rootSize: 0, name: '', publishTime: 0, garbageCollectable: false, alternativePath: false });
  t.is(value.certificate, undefined);
});

for (const key of ['C', 'R', 'D', 'S']) {
  test(`a manifest without ${key} is incomplete`, (t) => {
    const text = LEAST.split('\n')
      .filter((line) => !line.startsWith(key))
      .join('\n');
    t.throws(() => parse(text), { code: 'Incomplete' });
  });
}

for (const root of ['', 'a'.repeat(39), 'A'.repeat(40), '0'.repeat(40), `${ROOT}-sha256`]) {
  test(`"${root}" is no root catalog`, (t) => {
    t.throws(() => parse(LEAST.replace(ROOT, root)), { code: 'Incomplete' });
  });
}

test('nothing below the line "--" is a field', (t) => {
  t.is(parse(`${LEAST}Na.b\n--\nNc.d\n`).name, 'a.b');
  t.throws(() => parse(`--\n${LEAST}`), { code: 'Incomplete' });
});

test('a line without newline is no line', (t) => {
  t.is(parse(`${LEAST}Na.b`).name, '');
});

test('the last of repeated fields counts; unknown letters and empty lines do not', (t) => {
  t.like(parse(`${LEAST}\n\nQx\nNa.b\nNc.d\nS7\n`), { name: 'c.d', revision: 7 });
});

test('numbers are read as far as they have digits', (t) => {
  const revision = (text: string) => parse(`${LEAST}S${text}\n`).revision;
  t.is(revision('12abc'), 12);
  t.is(revision(' 12'), 12);
  t.is(revision('abc'), 0);
  t.is(revision('-3'), 0);
  t.is(revision('18446744073709551615'), Number.MAX_SAFE_INTEGER);
});

test('only "yes" is yes, and null hashes are absent', (t) => {
  const value = parse(`${LEAST}Gtrue\nAyes\nH${'0'.repeat(40)}\nM${'0'.repeat(40)}\n`);
  t.like(value, { garbageCollectable: false, alternativePath: true });
  t.is(value.history, undefined);
  t.is(value.metainfo, undefined);
});

test('any bytes give a manifest with a root catalog, or are incomplete', (t) => {
  const line = fc.tuple(fc.constantFrom(...'CRDSBNXT'), fc.string({ maxLength: 50 })).map((parts) => parts.join(''));
  const text = fc.array(fc.oneof(line, fc.constantFrom(...LEAST.split('\n')))).map((lines) => lines.join('\n'));
  const bytes = fc.oneof(
    text.map((lines) => Buffer.from(lines, 'latin1')),
    fc.uint8Array(),
  );
  fc.assert(
    fc.property(bytes, (data) => {
      try {
        t.true(parseManifest(data).rootHash instanceof ContentHash);
      } catch (error) {
        t.is((error as { code?: string }).code, 'Incomplete');
      }
    }),
  );
});
