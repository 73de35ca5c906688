import test from 'ava';
import fc from 'fast-check';
import { encodeRecordEntry, parseRecordEntry, type RecordEntry } from '../../src/preload/record.ts';

/** Any bytes but NUL and slash, one a character. */
const name = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 20 })
  .map((bytes) => String.fromCharCode(...bytes).replaceAll('/', '_'));
const path = fc.array(name, { maxLength: 5 }).map((names) => names.map((part) => `/${part}`).join(''));
const hash = fc.constantFrom('ab'.repeat(20), `${'01'.repeat(20)}-shake128`);
const length = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const place = { repository: fc.constantFrom('a.example.org', 'b.example.org'), path };

const entry: fc.Arbitrary<RecordEntry> = fc.oneof(
  fc.record({ type: fc.constant('catalog' as const), ...place, hash, revision: length }),
  fc.record({ type: fc.constant('directory' as const), ...place }),
  fc.record({ type: fc.constant('file' as const), ...place, hash }),
  fc.record({ type: fc.constant('file' as const), ...place, hash, offset: length, size: length }),
  fc.record({ type: fc.constant('link' as const), ...place, target: name }),
);

test('every entry comes back from its line, whatever bytes its path has', (t) => {
  fc.assert(
    fc.property(entry, (value) => {
      const line = encodeRecordEntry(value);
      t.notRegex(line, /\n/);
      t.deepEqual(parseRecordEntry(line), value);
    }),
  );
  t.pass();
});

test('a line is what people and other programs can read', (t) => {
  const file = {
    type: 'file',
    repository: 'a.example.org',
    path: '/d\xc3\xa9j\xc3\xa0',
    hash: 'ab'.repeat(20),
  } as const;
  t.is(
    encodeRecordEntry(file),
    `{"type":"file","repository":"a.example.org","path":"/déjà","hash":"${'ab'.repeat(20)}"}`,
  );
  const root = { type: 'directory', repository: 'a.example.org', path: '' } as const;
  t.is(encodeRecordEntry(root), '{"type":"directory","repository":"a.example.org","path":"/"}');
});

test('what is no entry is left alone, whatever it is', (t) => {
  const lines = [
    '',
    'null',
    '1',
    '"x"',
    '[]',
    '{}',
    '{"type":"file","repository":"a.example.org","path":"/x"',
    '{"type":1}',
  ];
  lines.push('{"type":"other","repository":"a","path":"/x"}', '{"type":"file","repository":"a","path":"/x"}');
  lines.push('{"type":"directory","repository":"a","path":"x"}', '{"type":"directory","path":"/x"}');
  for (const line of lines) t.is(parseRecordEntry(line), undefined, line);
  fc.assert(fc.property(fc.jsonValue(), (value) => void parseRecordEntry(JSON.stringify(value))));
});

test('a piece whose bounds are no numbers is the whole file', (t) => {
  const line = '{"type":"file","repository":"a","path":"/x","hash":"h","offset":-1,"size":"x"}';
  t.deepEqual(parseRecordEntry(line), { type: 'file', repository: 'a', path: '/x', hash: 'h' });
});
