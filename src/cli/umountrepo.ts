// The program `umountrepo`: unmounts what mountrepo has mounted, also when its server was killed.
import { Command, Option } from 'commander';
import { fullName } from '../config/repository-name.ts';
import { mountDirectory, repositoryMounts } from './mountrepo/place.ts';
import { unmountRepository } from './mountrepo/unmount.ts';
import { parseWords } from './parse-words.ts';

const OWN_FAILURE = 125;

const EXAMPLES = `Examples:
  umountrepo atlas.cern.ch
  umountrepo -a                (all that mountrepo has mounted)
  umountrepo -z atlas.cern.ch  (also while programs use it)
`;

export function command(): Command {
  return new Command('umountrepo')
    .description('Unmount repositories that mountrepo has mounted.')
    .argument('[repository...]', 'names; one without a dot gets CVMFS_DEFAULT_DOMAIN')
    .option('-a, --all', 'all that are mounted there')
    .option(
      '-z, --lazy',
      'also while they are in use: gone from the tree at once, ended when nobody uses them any more',
    )
    .addOption(new Option('--under <DIR>', 'where they are: as given to mountrepo'))
    .addHelpText('beforeAll', EXAMPLES)
    .addHelpText(
      'after',
      '\nExit code: 0 when all are unmounted, else 125, with a line on stderr for each that is not.\n',
    );
}

export async function main(args: string[]): Promise<number> {
  const program = command();
  if (!parseWords(program, args)) return 0;
  const { all = false, lazy = false, under } = program.opts<{ all?: boolean; lazy?: boolean; under?: string }>();
  if (all === program.args.length > 0) {
    throw new Error(`name repositories, or give -a for all; see 'umountrepo --help'`);
  }
  const directory = mountDirectory(under);
  const mounted = repositoryMounts(directory).map(({ place }) => place);
  const wanted = program.args.map(
    (name) => `${directory}/${fullName(name, { options: [], environment: process.env })}`,
  );
  let code = 0;
  for (const place of all ? mounted : new Set(wanted)) {
    try {
      if (!mounted.includes(place)) throw new Error(`nothing is mounted on ${place}`);
      await unmountRepository(place, lazy);
    } catch (error) {
      process.stderr.write(`umountrepo: ${(error as Error).message}\n`);
      code = OWN_FAILURE;
    }
  }
  return code;
}
