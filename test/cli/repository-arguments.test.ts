import { resolve } from 'node:path';
import test from 'ava';
import { type RepositoryArguments, repositorySubcommand } from '../../src/cli/commands/repository-arguments.ts';

/** What a subcommand with an option `--limit` of its own gets. */
async function parse(
  words: string[],
  repositories: 'required' | 'optional' = 'required',
): Promise<RepositoryArguments> {
  let seen: RepositoryArguments | undefined;
  const subcommand = repositorySubcommand({
    name: 'probe',
    description: 'tries repositories',
    examples: ['probe atlas.cern.ch'],
    repositories,
    configure: (command) => command.option('--limit <MB>'),
    run: async (given) => {
      seen = given;
      return 7;
    },
  });
  const code = await subcommand(words);
  if (code !== 7 || !seen) throw new Error(`it was not run, but ended with ${code}`);
  return seen;
}

test('the words mean what they mean for a launch, paths relative to the working directory', async (t) => {
  const words = ['-o', 'A=1', '-oCVMFS_CACHE_BASE=cache', 'a.cern.ch', '--config', 'conf', 'b', '--json', 'a.cern.ch'];
  t.deepEqual(await parse(words), {
    launch: {
      repositories: ['a.cern.ch', 'b'],
      parameters: ['A=1', `CVMFS_CACHE_BASE=${resolve('cache')}`],
      configDirectory: resolve('conf'),
      debug: false,
      inside: true,
      offline: false,
      record: undefined,
      scratch: undefined,
      image: undefined,
      overlays: [],
    },
    json: true,
    flags: {},
  });
  t.deepEqual((await parse(['a', '--limit=3'])).flags, { limit: '3' });
});

test('a value may look like an option or a repository', async (t) => {
  t.deepEqual((await parse(['-o', 'B=-d', '-o', 'C=--json', 'x'])).launch.parameters, ['B=-d', 'C=--json']);
});

test('a repository may be optional', async (t) => {
  t.deepEqual((await parse(['--json'], 'optional')).launch.repositories, []);
  await t.throwsAsync(parse(['--json']), { message: /missing required argument.*cvmfsexec probe --help/ });
});

test('what cannot be understood is refused in one line that says where to look', async (t) => {
  for (const words of [['--unknown', 'a'], ['a', '-o'], ['a', '-o', 'debug'], ['../a'], ['a', '--config']]) {
    const error = await t.throwsAsync(parse(words), undefined, words.join(' '));
    t.regex(error?.message ?? '', /^[^\n]+ --help'$/);
  }
});
