import test from 'ava';
import { namePattern } from '../../src/config/name-pattern.ts';
import { isFullName } from '../../src/config/names.ts';

test('a pattern is about whole names, and a dot is only a dot', (t) => {
  const cern = namePattern('*.cern.ch')!;
  t.deepEqual(['a.cern.ch', 'a.b.cern.ch', 'a.cern.ch.org', 'acernxch', '.cern.ch'].map(cern), [
    true,
    true,
    false,
    false,
    true,
  ]);
  t.true(namePattern('r?.org')!('r1.org'));
  t.false(namePattern('r?.org')!('r12.org'));
  for (const text of ['', 'a/b', '[ab]', 'a b', '(a)']) t.is(namePattern(text), undefined);
});

test('what programs look for everywhere is no full name of a repository', (t) => {
  for (const name of ['atlas.cern.ch', 'a-b.c_d.example.org', '1.cern.ch']) t.true(isFullName(name), name);
  for (const name of ['.git', 'lib', 'bin', 'libc.so.6', 'a..b', '.Trash-1000', 'x.1', '-a.org', 'a.org.', '..']) {
    t.false(isFullName(name), name);
  }
});
