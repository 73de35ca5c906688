import test from 'ava';
import { parseLaunchWords, resolvePaths } from '../../src/cli/launch-words.ts';

const parse = (...words: string[]) => parseLaunchWords(words);
const USAGE = { name: 'UsageError', code: 'USAGE' };

test('repositories and options come in any order', (t) => {
  t.deepEqual(parse('a.cern.ch', '-o', 'A=1', '--config', '/c', 'b', '-d', '-oB=2', '-N'), {
    repositories: ['a.cern.ch', 'b'],
    parameters: ['A=1', 'B=2'],
    configDirectory: '/c',
    debug: true,
    inside: false,
    offline: false,
    record: undefined,
    image: undefined,
    overlays: [],
    scratch: undefined,
  });
  t.deepEqual(parse('a', '--offline', '--record', 'file'), {
    repositories: ['a'],
    parameters: [],
    configDirectory: undefined,
    debug: false,
    inside: true,
    offline: true,
    record: 'file',
    image: undefined,
    overlays: [],
    scratch: undefined,
  });
});

test('a value may be part of its option or the next word, whatever it looks like', (t) => {
  t.deepEqual(parse('-oA=1', '-o', 'B=-d', '-o', 'C=', 'x').parameters, ['A=1', 'B=-d', 'C=']);
  t.is(parse('--config=/a=b', 'x').configDirectory, '/a=b');
  t.is(parse('--config', '/a', '--config', '/b', 'x').configDirectory, '/b', 'the last wins');
});

test('commas and equals signs belong to the value of a parameter', (t) => {
  t.deepEqual(parse('-o', 'A=1,B=2=3', '-o', 'A=4', 'x').parameters, ['A=1,B=2=3', 'A=4']);
});

test('a repository that is named twice is one', (t) => {
  t.deepEqual(parse('a.b', 'c.d', 'a.b').repositories, ['a.b', 'c.d']);
});

test('what is no KEY=VALUE is no parameter', (t) => {
  for (const value of ['debug', '=x', '1A=x', 'A B=x', 'A-B=x', '']) {
    t.throws(() => parse('-o', value, 'x'), { ...USAGE, message: /expected KEY=VALUE/ }, value);
  }
  t.throws(() => parse('-odebug', 'x'), USAGE);
});

test('an option without its value, and an unknown option, are refused by name', (t) => {
  t.throws(() => parse('x', '-o'), { ...USAGE, message: /option -o needs a value/ });
  t.throws(() => parse('x', '--config'), { ...USAGE, message: /option --config needs a value/ });
  for (const word of ['-x', '--unknown', '--debug=1', '-N1', '-', '--configs=/c']) {
    t.throws(() => parse('x', word), { ...USAGE, message: new RegExp(`unknown option ${word}`) }, word);
  }
});

test('-m takes an image', (t) => {
  t.is(parse('-m', '/image', 'x').scratch, '/image');
  t.throws(() => parse('x', '-m'), { ...USAGE, message: /option -m needs a value/ });
});

test('--map-subids is the launcher’s business', (t) => {
  t.deepEqual(parse('--map-subids', 'x').repositories, ['x']);
});

test('without a repository there is nothing to do', (t) => {
  t.throws(() => parse(), { ...USAGE, message: /no repository named/ });
  t.throws(() => parse('-d', '-o', 'A=1'), USAGE);
});

test('a name that could leave its directory, or cannot be a repository, is refused', (t) => {
  for (const name of ['', '.', '..', '../x', 'a/b', 'a b', '.hidden', '_x', 'a\nb', 'é', 'x'.repeat(61)]) {
    const error = t.throws(() => parse(name), { ...USAGE, message: /is not a repository name/ }, name);
    t.regex(error?.message ?? '', /cvmfsexec --help/);
  }
  t.deepEqual(parse('x'.repeat(60)).repositories, ['x'.repeat(60)]);
});

const resolved = (...parameters: string[]) =>
  resolvePaths(parse(...parameters.flatMap((parameter) => ['-o', parameter]), 'x'), '/work dir/here').parameters;

test('relative paths are those of the caller’s directory', (t) => {
  const words = parse('--config', '../etc', '-o', 'CVMFS_CACHE_BASE=c', '-o', 'CVMFS_CACHE_DIR=./d/../e', 'x');
  t.deepEqual(resolvePaths(words, '/home/user'), {
    ...words,
    configDirectory: '/home/etc',
    parameters: ['CVMFS_CACHE_BASE=/home/user/c', 'CVMFS_CACHE_DIR=/home/user/e'],
  });
  t.is(resolvePaths(parse('x'), '/home/user').configDirectory, undefined);
});

test('absolute paths, empty values, templates and what is no path stay', (t) => {
  const same = ['CVMFS_KEYS_DIR=/keys/@fqrn@', 'CVMFS_CACHE_BASE=', 'CVMFS_PUBLIC_KEY=', 'CVMFS_SERVER_URL=a/b:c'];
  t.deepEqual(resolved(...same, 'CVMFS_TIMEOUT=5'), [...same, 'CVMFS_TIMEOUT=5']);
});

test('only CVMFS_PUBLIC_KEY is a list of paths', (t) => {
  t.deepEqual(resolved('CVMFS_PUBLIC_KEY=a.pub:/b.pub::c/@fqrn@.pub', 'CVMFS_KEYS_DIR=a:b', 'CVMFS_BLACKLIST=l=1'), [
    'CVMFS_PUBLIC_KEY=/work dir/here/a.pub:/b.pub::/work dir/here/c/@fqrn@.pub',
    'CVMFS_KEYS_DIR=/work dir/here/a:b',
    'CVMFS_BLACKLIST=/work dir/here/l=1',
  ]);
});

test('--auto takes a pattern only where it cannot be anything else', (t) => {
  const of = (...words: string[]) => {
    const { auto, repositories } = parse(...words);
    return { auto, repositories };
  };
  t.deepEqual(of('--auto'), { auto: ['*'], repositories: [] });
  t.deepEqual(of('--auto', '*.cern.ch', 'a.org'), { auto: ['*.cern.ch'], repositories: ['a.org'] });
  t.deepEqual(of('--auto=b.org', '--auto', 'a.org'), { auto: ['b.org', '*'], repositories: ['a.org'] });
  t.throws(() => parse('--auto=a/b'), { message: /expected a pattern of repository names/ });
});
