// The words of cvmfs2, as people, mount helpers and container runtimes write them.
import test from 'ava';
import fc from 'fast-check';
import { parseCommandLine, type ToServe } from '../../src/cli/cvmfs2/command-line.ts';
import { exitCodeOf, explainFailure } from '../../src/cli/cvmfs2/exit-codes.ts';
import { splitOptions } from '../../src/cli/cvmfs2/options.ts';
import { UsageError } from '../../src/cli/launch-words.ts';
import { ConfigError } from '../../src/config/error.ts';
import { RepositoryError } from '../../src/repository/errors.ts';

const parse = (text: string) => parseCommandLine(text.split(' ')) as ToServe;

test('flags may stand before, between and behind the repository and the mount point', (t) => {
  const wanted = { action: 'mount', foreground: true, repository: 'a.example.org', mountPoint: '/dev/fd/3' };
  for (const text of [
    '-f -o config=/c a.example.org /dev/fd/3',
    '-o config=/c a.example.org /dev/fd/3 -f',
    'a.example.org -f /dev/fd/3 -oconfig=/c',
    '-o foreground,config=/c -- a.example.org /dev/fd/3',
  ]) {
    t.like(parse(text), { ...wanted, configFiles: ['/c'] }, text);
  }
  t.false(parse('a.example.org /m').foreground);
});

test("what mount helpers write is understood, the reference's and mount(8)'s options alike", (t) => {
  const line = parse(
    '-o rw,system_mount,fsname=cvmfs2,allow_other,grab_mountpoint,uid=990,gid=984,_netdev,noexec a.b /m',
  );
  t.like(line, { uid: 990, gid: 984, allowOther: true, grabMountPoint: true, source: 'cvmfs2' });
  t.deepEqual(line.restrictions, ['noexec']);
  t.deepEqual(line.parameters, []);
});

test('debugging stays in the foreground, where its lines can be read', (t) => {
  for (const text of ['-d a.b /m', '-o debug a.b /m', '-o fuse_debug a.b /m']) {
    t.like(parse(text), { debug: true, foreground: true }, text);
  }
});

test('-o splits at a comma only where an option begins behind it', (t) => {
  t.deepEqual(splitOptions('config=/a,b:/c,uid=5'), ['config=/a,b:/c', 'uid=5']);
  t.deepEqual(splitOptions('CVMFS_SERVER_URL=http://h/a,b,CVMFS_HTTP_PROXY=DIRECT,debug'), [
    'CVMFS_SERVER_URL=http://h/a,b',
    'CVMFS_HTTP_PROXY=DIRECT',
    'debug',
  ]);
  t.deepEqual(splitOptions('CVMFS_X=a\\,debug'), ['CVMFS_X=a,debug']);
  t.deepEqual(splitOptions(',debug,,foreground,'), ['debug', 'foreground']);
});

test('property: parameters joined by commas come apart as they were, whatever their values', (t) => {
  const name = fc.stringMatching(/^CVMFS_[A-Z]{1,8}$/);
  const value = fc.stringMatching(/^[a-z0-9:/;|@.-]{1,10}(,[a-z0-9:/;|@.-]{1,10}){0,2}$/);
  const known = /(^|,)(debug|foreground|parse|ro|rw|dev|suid|exec|async|sync|user|users|auto|atime|nodev)($|,)/;
  const parameter = fc
    .tuple(
      name,
      value.filter((text) => !known.test(text)),
    )
    .map((pair) => pair.join('='));
  fc.assert(
    fc.property(fc.array(parameter, { minLength: 1, maxLength: 6 }), (parameters) => {
      t.deepEqual(splitOptions(parameters.join(',')), parameters);
    }),
  );
  t.pass();
});

test('what cannot be understood is refused with a reason', (t) => {
  const cases: [string, RegExp][] = [
    ['', /a repository and a mount point are needed/],
    ['a.b', /a repository and a mount point are needed/],
    ['a.b /m /n', /unexpected '\/n'/],
    ['-x a.b /m', /unknown option -x/],
    ['-o nonsense a.b /m', /unknown option -o nonsense/],
    ['-o uid=root a.b /m', /uid=root: expected the number of a user/],
    ['-o cvmfs_suid a.b /m', /setuid programs are never honoured/],
    ['-o allow_root a.b /m', /allow_other/],
    ['../x /m', /not a repository name/],
    ['a.b /m -o', /-o needs a value/],
  ];
  for (const [text, says] of cases) {
    const error = t.throws(() => parse(text), { instanceOf: UsageError }, text);
    t.regex(error?.message ?? '', says);
    t.is(exitCodeOf(error), 2);
  }
});

test('failures have the exit codes of the reference, also when they were the cause of others', (t) => {
  const cases: [unknown, number][] = [
    [new ConfigError('NO_CACHE', 'x'), 9],
    [new RepositoryError('Outdated', 'x'), 16],
    [new RepositoryError('NoSuchTag', 'x'), 22],
    [new RepositoryError('BadKey', 'x'), 15],
    [new Error('cannot mount', { cause: new RepositoryError('Load', 'x') }), 16],
    [new Error('who knows'), 1],
    ['text', 1],
  ];
  for (const [error, code] of cases) t.is(exitCodeOf(error), code, String(error));
  t.is(explainFailure(new RepositoryError('Load', 'no server')), 'no server (16 - file catalog failure)');
});
