import test from 'ava';
import fc from 'fast-check';
import { encodeXattrList, parseXattrList } from '../../src/repository/xattr-list.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const key = fc
  .uint8Array({ minLength: 1, maxLength: 255 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('\0', 'x'));
const value = fc.uint8Array({ maxLength: 255 }).map((bytes) => Buffer.from(bytes));
const list = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, minLength: 1, maxLength: 20 });

test('lists of the reference are read and written byte for byte', (t) => {
  const one = hex('01 01 08 03 757365722e666f6f 626172');
  t.deepEqual([...parseXattrList(one)], [['user.foo', Buffer.from('bar')]]);
  t.deepEqual(encodeXattrList(parseXattrList(one)), one);
  const two = hex('01 02 07 01 757365722e6b31 70 07 00 757365722e6b32');
  t.deepEqual(
    [...parseXattrList(two)],
    [
      ['user.k1', Buffer.from('p')],
      ['user.k2', Buffer.alloc(0)],
    ],
  );
  t.deepEqual(encodeXattrList(parseXattrList(two)), two);
  t.is(parseXattrList(hex('01 00')).size, 0);
});

test('every list is read back, in ascending order', (t) => {
  fc.assert(
    fc.property(list, (entries) => {
      const read = parseXattrList(encodeXattrList(new Map(entries))!);
      t.deepEqual(
        [...read],
        entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'))),
      );
    }),
  );
});

test('values up to 64 KiB of version 2 are read', (t) => {
  const long = Buffer.alloc(65_535, 'v');
  const list = Buffer.concat([hex('02 02 08 ffff 757365722e666f6f'), long, hex('01 0200 62 7879')]);
  t.deepEqual(
    [...parseXattrList(list)],
    [
      ['b', Buffer.from('xy')],
      ['user.foo', long],
    ],
  );
  t.is(parseXattrList(list.subarray(0, -1)).size, 0, 'cut off in a value');
  t.is(parseXattrList(hex('02 01 01 02')).size, 0, 'cut off in a length');
});

test('no attributes are no list', (t) => {
  t.is(encodeXattrList(new Map()), undefined);
});

const BROKEN: Record<string, string> = {
  empty: '',
  'of one byte': '01',
  'of another version': '03 01 01 01 61 62',
  'cut off before an entry': '01 01',
  'cut off in a key': '01 01 02 00 61',
  'cut off in a value': '01 01 01 02 61 62',
  'that names one entry too many': '01 02 01 01 61 62',
  'with an empty entry': '01 01 00 00',
  'with an empty key': '01 01 00 01 61',
  'with NUL in a key': '01 01 02 00 61 00',
  'with a good entry before a bad one': '01 02 01 01 61 62 00 00',
};

for (const [what, bytes] of Object.entries(BROKEN)) {
  test(`a list ${what} counts as empty`, (t) => {
    t.is(parseXattrList(hex(bytes)).size, 0);
  });
}

test('random bytes never crash', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const version of [1, 2]) {
        t.true(parseXattrList(Buffer.concat([Buffer.of(version, bytes[0] ?? 0), bytes])).size <= 255);
      }
    }),
  );
});

test('what does not fit the format is not written', (t) => {
  const write = (name: string, size: number) => encodeXattrList(new Map([[name, Buffer.alloc(size)]]));
  t.truthy(write('k'.repeat(255), 255));
  for (const [name, size] of [
    ['k'.repeat(256), 0],
    ['k', 256],
    ['', 1],
    ['a\0b', 1],
  ] as const) {
    t.throws(() => write(name, size), { instanceOf: RangeError });
  }
  const many = new Map(Array.from({ length: 256 }, (_, i) => [`k${i}`, Buffer.alloc(0)] as const));
  t.throws(() => encodeXattrList(many), { instanceOf: RangeError });
});
