import test from 'ava';
import fc from 'fast-check';
import { bundlePath, parseFileBundle } from '../../src/repository/file-bundle.ts';

const bundle = (dependencies: unknown) =>
  JSON.stringify({ name: 'CVMFS_BUNDLE', version: '1.0.0', encoding: 'UTF-8', dependencies });
const parse = (text: string) => parseFileBundle(Buffer.from(text), '/lib');

test('paths are absolute, or relative to the directory of the bundle', (t) => {
  t.deepEqual(parse(bundle(['/lib/a', './b', 'c/d', '/lib/a'])), ['/lib/a', '/lib/b', '/lib/c/d']);
  t.deepEqual(parse(bundle([])), []);
});

test('lines of comment may stand before the JSON', (t) => {
  t.deepEqual(parse(`#%CVMFS_BUNDLE version=1 encoding=UTF-8\n# more\n${bundle(['/a'])}`), ['/a']);
});

test('names come out as the bytes that they are in a catalog', (t) => {
  t.deepEqual(parse(bundle(['/caf\u00e9'])), ['/caf\xc3\xa9']);
});

test('what is no bundle is refused, entries that are no paths are left out', (t) => {
  for (const text of [
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"dependencies":{}}',
    '# only a comment',
    '{"dependencies":["/a"]',
  ]) {
    t.throws(() => parse(text), { code: 'BadBundle' }, text);
  }
  t.deepEqual(parse(bundle(['/a', 1, null, '', ['/b']])), ['/a']);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        parse(bundle(value));
      } catch (error) {
        t.is((error as { code: string }).code, 'BadBundle');
      }
    }),
  );
});

test('a bundle lies beside its trigger, and triggers none itself', (t) => {
  t.is(bundlePath('/lib', 'libx.so'), '/lib/.cvmfsbundle-libx.so');
  t.is(bundlePath('', 'x'), '/.cvmfsbundle-x');
  t.is(bundlePath('/lib', '.cvmfsbundle-x'), undefined);
});
