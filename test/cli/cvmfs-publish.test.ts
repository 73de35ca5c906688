import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checkRepository } from '../publish/checker.ts';

const entry = join(import.meta.dirname, '../../src/cli/tools.ts');

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, 'cvmfs-publish', ...words], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function base(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'cli-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('from nothing to a tagged second revision', (t) => {
  const directory = base(t);
  const repository = join(directory, 'repository');
  const keys = join(directory, 'keys');
  const tree = join(directory, 'tree');
  mkdirSync(join(tree, 'apps/one'), { recursive: true });
  writeFileSync(join(tree, 'apps/one/file'), 'x');
  writeFileSync(join(directory, 'about.json'), '{"administrator": "nobody"}');
  const create = ['create', repository, 'cli.example.org', '-k', keys, '--hash', 'shake128', '--compression', 'none'];
  create.push(
    '--chunk-sizes',
    '64K,128k,1M',
    '--catalog-at',
    '/apps/*',
    '--ttl',
    '60',
    '--garbage-collectable',
    '--no-sync',
  );
  const created = run(...create, '--metainfo', join(directory, 'about.json'));
  t.like(created, { status: 0, stderr: '' });
  t.like(run('publish', repository, tree, '-k', keys, '--no-sync'), { status: 0, stderr: '' });
  writeFileSync(join(tree, 'second'), 'x');
  const published = run(
    'publish',
    repository,
    tree,
    '--keys',
    keys,
    '--tag',
    'v2',
    '--description',
    'more',
    '--no-sync',
  );
  t.regex(published.stdout, /^cli\.example\.org: revision 2, .*2 catalogs \(1 new\)/);
  t.regex(run('publish', repository, tree, '-k', keys, '--no-sync').stdout, /nothing has changed since revision 2/);
  t.regex(run('tag', repository).stdout, /^v2\t2\t[^\t]+Z\t[0-9a-f]{40}-shake128\tmore$/m);
  t.regex(run('tag', repository, '-k', keys, '--remove', 'v2', '--add', 'v3', '--no-sync').stdout, /^v3\t2/m);
  t.regex(run('resign', repository, '-k', keys, '--valid-days', '7').stdout, /valid until/);
  const info = JSON.parse(run('info', repository, '--json').stdout);
  t.like(info, {
    name: 'cli.example.org',
    revision: 2,
    hashAlgorithm: 'shake128',
    garbageCollectable: true,
    catalogs: 2,
  });
  const { problems, manifest } = checkRepository(repository, join(keys, 'cli.example.org.pub'));
  t.deepEqual(problems, []);
  t.is(manifest.ttl, 60);
  t.truthy(manifest.metainfo);
});

test('keys alone, with names that clients and the other commands expect', (t) => {
  const keys = join(base(t), 'keys');
  t.is(run('keys', 'cli.example.org', '-k', keys).status, 0);
  t.regex(readFileSync(join(keys, 'cli.example.org.pub'), 'utf8'), /^-----BEGIN PUBLIC KEY-----/);
  t.like(run('keys', 'cli.example.org', '-k', keys), { status: 125, stdout: '' });
});

test('every mistake is one line on stderr and 125', (t) => {
  const directory = base(t);
  const mistakes = [
    [],
    ['nonsense'],
    ['create', directory],
    ['create', directory, 'x.org'],
    ['create', directory, 'x.org', '-k', directory, '--nonsense'],
    ['create', directory, 'x.org', '-k', directory, '--chunk-sizes', '4M'],
    ['create', directory, 'x.org', '-k', directory, '--ttl', 'soon'],
    ['publish', directory, directory, '-k', directory],
    ['tag', directory],
    ['tag', directory, '--add', 'x'],
    ['resign', directory, '-k', directory],
    ['info', directory],
  ];
  for (const words of mistakes) {
    const { status, stdout, stderr } = run(...words);
    t.is(status, 125, words.join(' '));
    t.is(stdout, '', words.join(' '));
    t.regex(stderr, /^cvmfs-publish: [^\n]+\n$/, words.join(' '));
  }
});

test('help begins with examples, for each command too', (t) => {
  t.regex(run('--help').stdout, /^Examples:\n {2}cvmfs-publish create /);
  t.is(run('--help').status, 0);
  for (const command of ['keys', 'create', 'publish', 'tag', 'resign', 'info']) {
    t.regex(run(command, '--help').stdout, new RegExp(`^Example:\n {2}cvmfs-publish ${command} .*\n`));
  }
});
