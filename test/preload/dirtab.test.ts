import test from 'ava';
import fc from 'fast-check';
import { Dirtab } from '../../src/preload/dirtab.ts';
import type { Guide, Wanted } from '../../src/preload/guide.ts';

const parse = (text: string) => Dirtab.parse(text, 'wanted.txt');

/** What is wanted of a path, asked from the root on as a walk does: 'all', 'way' (only to get further), or nothing. */
function wanted(dirtab: Dirtab, path: string, hidden: readonly string[] = []): 'all' | 'way' | undefined {
  let guide: Guide | undefined = dirtab.guide;
  let found: Wanted | undefined;
  let at = '';
  for (const name of path.split('/').slice(1)) {
    at += `/${name}`;
    found = guide?.child({ path: at, name, hidden: hidden.includes(at) });
    if (!found) return undefined;
    guide = found.below;
  }
  return found?.content === 'all' ? 'all' : found?.below ? 'way' : undefined;
}

function check(
  t: { is: (a: unknown, b: unknown, message?: string) => unknown },
  text: string,
  expected: Record<string, unknown>,
) {
  const dirtab = parse(text);
  for (const [path, value] of Object.entries(expected)) t.is(wanted(dirtab, path), value, path);
}

test('what is below a match is wanted, and what leads there is on the way', (t) => {
  check(t, '/usr/include/*\n/bin/bash\n! /usr/include/local/*\n', {
    '/bin': 'way',
    '/bin/bash': 'all',
    '/bin/foo': undefined,
    '/usr': 'way',
    '/usr/include': 'way',
    '/usr/include/stdio.h': 'all',
    '/usr/include/sys/stat.h': 'all',
    '/usr/include/local': 'all',
    '/usr/include/local/x': undefined,
    '/usr/lib': undefined,
    '/other': undefined,
  });
});

test('an exception holds for all that is below it', (t) => {
  check(t, '/software/releases\n! /software/releases/misc\n! /software/releases/experimental/misc\n', {
    '/software': 'way',
    '/software/releases/v1': 'all',
    '/software/releases/experimental': 'all',
    '/software/apps': undefined,
    '/software/releases/misc': undefined,
    '/software/releases/misc/external': undefined,
    '/software/releases/experimental/misc/foo': undefined,
  });
});

test('slashes at the end do not count, and a relative exception is one for every place', (t) => {
  check(t, '/usr/bin/\n! *.exe/\n! /usr/misc/\n', {
    '/usr/bin': 'all',
    '/usr/bin/bash': 'all',
    '/usr/misc': undefined,
    '/usr/bin/root.exe': undefined,
    '/usr/bin/root.exe/in': undefined,
    '/usr/bin/root.exe2': 'all',
  });
  // A relative one without a wildcard never matches an absolute path.
  check(t, '/a\n! misc\n', { '/a/misc': 'all' });
});

test('wildcards do not match slashes, in exceptions they do', (t) => {
  check(t, '/a/*/c\n/d?\n! /a/*skip\n', {
    '/a/b/c': 'all',
    '/a/b/d': undefined,
    '/a/b/b/c': undefined,
    '/d1': 'all',
    '/d': undefined,
    '/d12': undefined,
    '/a/b/c/d/noskip': undefined,
    '/a/b/c/d/noskip/e': undefined,
  });
});

test('two stars are one', (t) => {
  check(t, '/dir/**\n!/dir/ctlg2\n', { '/dir': 'way', '/dir/x': 'all', '/dir/x/y': 'all', '/dir/ctlg2': undefined });
});

test('a slash is everything, but what is hidden only where it is named', (t) => {
  const all = parse('/');
  t.is(wanted(all, '/a/b'), 'all');
  const hidden = ['/.cvmfs'];
  t.is(wanted(all, '/.cvmfs', hidden), undefined);
  const snapshot = parse('/\n/.cvmfs/snapshots/v1\n');
  t.is(wanted(snapshot, '/.cvmfs', hidden), 'way');
  t.is(wanted(snapshot, '/.cvmfs/snapshots/v1/x', hidden), 'all');
  t.is(wanted(snapshot, '/.cvmfs/snapshots/v2', hidden), undefined);
});

test('comments, blank lines and blanks around a pattern do not matter', (t) => {
  const dirtab = parse('# a comment\n  #another\n\n   \n  /lib/a  \n!\t /lib/a/b \n');
  t.is(wanted(dirtab, '/lib/a'), 'all');
  t.is(wanted(dirtab, '/lib/a/b'), undefined);
  t.true(parse('# nothing\n! /a\n').isEmpty);
});

test('a backslash takes the meaning from * and ?, characters of regular expressions have none', (t) => {
  check(t, '/a\\*b\n/c.d+(e)[f]{1}^$|g\n/h\\\\i\n', {
    '/a*b': 'all',
    '/axb': undefined,
    '/c.d+(e)[f]{1}^$|g': 'all',
    '/cxd+(e)[f]{1}^$|g': undefined,
    '/h\\i': 'all',
  });
});

test('what is no pattern is refused with its line', (t) => {
  for (const line of ['relative/path', '/a\\b', '/a\\', '*.exe']) {
    t.throws(() => parse(`/good\n${line}\n`), { code: 'BAD_PATTERN', message: /^wanted\.txt:2: / }, line);
  }
  t.throws(() => parse('/a/b\n! /a/b/\n'), { code: 'BAD_PATTERN', message: /wanted and excepted at once/ });
});

test('patterns for which nothing was found are told, also when they are below others', (t) => {
  const dirtab = parse('/a\n/a/b\n/c/*\n/d\n');
  for (const path of ['/a/b', '/c/x']) wanted(dirtab, path);
  t.deepEqual(dirtab.unmatched, ['/d']);
});

test('names of any bytes are matched as they are', (t) => {
  const name = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
  });
  const sound = name.filter((text) => !/[/\\*?\n]/.test(text) && text.trim() === text && !/^[#!]/.test(text));
  fc.assert(
    fc.property(sound, sound, (one, other) => {
      const dirtab = parse(`/${one}\n`);
      t.is(wanted(dirtab, `/${one}`), 'all');
      t.is(wanted(dirtab, `/${other}`), one === other ? 'all' : undefined);
      t.is(wanted(parse('/*\n'), `/${other}/${one}`), 'all');
    }),
  );
});
