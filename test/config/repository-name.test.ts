import test from 'ava';
import { fullName } from '../../src/config/repository-name.ts';
import { makeDirectory, writeFiles } from './configuration.ts';

const NONE = { options: [], environment: {}, systemDirectory: '/nonexistent' };

test('a short name gets the default domain', (t) => {
  const directory = makeDirectory(t);
  t.is(fullName('atlas', NONE), 'atlas.cern.ch');
  t.is(fullName('atlas.example.org', NONE), 'atlas.example.org');
  writeFiles(directory, { 'default.local': 'CVMFS_DEFAULT_DOMAIN=example.org\n' });
  t.is(fullName('atlas', { ...NONE, systemDirectory: directory }), 'atlas.example.org');
  t.is(fullName('atlas', { ...NONE, options: ['CVMFS_DEFAULT_DOMAIN=egi.eu'] }), 'atlas.egi.eu');
});

test('what cannot be a repository is refused, with or without the default domain', (t) => {
  for (const name of ['', '.x', '../x.y', 'a/b.c', 'a b.c', 'a.b\n', '-x.y', 'é.cern.ch', `${'x'.repeat(60)}.y`]) {
    const error = t.throws(() => fullName(name, NONE), { name: 'ConfigError', code: 'BAD_NAME' }, name);
    t.false(error?.message.includes('\n'));
  }
  t.notThrows(() => fullName(`${'x'.repeat(58)}.y`, NONE));
  const error = t.throws(() => fullName('x', { ...NONE, options: ['CVMFS_DEFAULT_DOMAIN=../y'] }), {
    code: 'BAD_NAME',
  });
  t.regex(error?.message ?? '', /CVMFS_DEFAULT_DOMAIN/);
});
