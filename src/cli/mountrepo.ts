// The program `mountrepo`: mounts repositories for the calling user outside of any namespace, by cvmfs2 in the background.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Command, Option } from 'commander';
import { fullName } from '../config/repository-name.ts';
import { tryRun } from '../doctor/try-run.ts';
import { type LaunchWords, parseLaunchWords, resolvePaths } from './launch-words.ts';
import { mountDirectory, repositoryMounts } from './mountrepo/place.ts';
import { removeDirectory, unmountRepository } from './mountrepo/unmount.ts';
import { programPath } from './package-directory.ts';
import { parseWords } from './parse-words.ts';
import { hintingAt } from './usage-error.ts';

const EXAMPLES = `Examples:
  mountrepo atlas.cern.ch sft.cern.ch          (prints where they are mounted)
  mountrepo --under ~/cvmfs atlas.cern.ch && apptainer exec -B ~/cvmfs:/cvmfs IMAGE COMMAND
  umountrepo -a
`;

const NOTES = `
For hosts where users cannot make namespaces, so that cvmfsexec does not work, but fusermount3 or fusermount is installed.
Repositories are mounted below --under, else $CVMFSEXEC_MOUNTS, else /tmp/cvmfs-UID/mounts, for you alone. The path is not
/cvmfs: a container can have it there. They stay mounted until umountrepo, or until the machine is started anew. A
repository that is mounted already is left alone; one whose server was killed is mounted anew. Inside of a job of
cvmfsexec it asks the job, as $CVMFSMOUNT does: mountrepo REPOSITORY...

Exit code: 0, or that of cvmfs2 for the first repository that could not be mounted; 125: mountrepo itself failed.
`;

export function command(): Command {
  return new Command('mountrepo')
    .description('Mount CernVM-FS repositories for yourself, without namespaces: needs fusermount.')
    .argument('<repository...>', 'names; one without a dot gets CVMFS_DEFAULT_DOMAIN')
    .addOption(new Option('-o <KEY=VALUE>', 'set a parameter; repeatable, the last wins').argParser(collect))
    .option('--config <DIR>', 'read the configuration files there instead of /etc/cvmfs')
    .option('--under <DIR>', 'mount in this directory')
    .option('--allow-other', 'let other users in (needs user_allow_other in /etc/fuse.conf)')
    .addHelpText('beforeAll', EXAMPLES)
    .addHelpText('after', NOTES);
}

interface Flags {
  readonly o?: string[];
  readonly config?: string;
  readonly under?: string;
  readonly allowOther?: boolean;
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

export async function main(args: string[]): Promise<number> {
  const program = command();
  if (!parseWords(program, args)) return 0;
  const { o = [], config, under, allowOther } = program.opts<Flags>();
  const words = [...o.flatMap((parameter) => ['-o', parameter]), ...(config ? ['--config', config] : [])];
  const launch = resolvePaths(
    hintingAt('mountrepo', () => parseLaunchWords([...words, ...program.args])),
    process.cwd(),
  );
  const { parameters, configDirectory } = launch;
  const names = launch.repositories.map((name) =>
    fullName(name, { options: parameters, configDirectory, environment: process.env }),
  );
  const directory = mountDirectory(under);
  let code = 0;
  for (const fqrn of new Set(names)) {
    const failed = await mountOne(fqrn, `${directory}/${fqrn}`, directory, launch, allowOther ?? false);
    code ||= failed;
  }
  return code;
}

/** Resolves to the exit code of cvmfs2. */
async function mountOne(
  fqrn: string,
  place: string,
  directory: string,
  { parameters, configDirectory }: LaunchWords,
  allowOther: boolean,
): Promise<number> {
  if (repositoryMounts(directory).some((mount) => mount.place === place)) {
    // Asked by another process: nobody may answer.
    const { succeeded, complaint } = await tryRun('stat', ['-f', place]);
    if (succeeded) {
      process.stdout.write(`${place}\n`);
      return 0;
    }
    if (!/not connected|abort/.test(complaint))
      throw new Error(`${place} is mounted, but does not answer: ${complaint}`);
    await unmountRepository(place, true);
  }
  mkdirSync(place, { recursive: true });
  const options = parameters.map((parameter) => parameter.replaceAll(',', '\\,'));
  if (configDirectory) options.push(`config=${configDirectory}`);
  if (allowOther) options.push('allow_other');
  const code = await run(programPath('cvmfs2'), [...options.flatMap((option) => ['-o', option]), fqrn, place]);
  if (code === 0) process.stdout.write(`${place}\n`);
  else removeDirectory(place);
  return code;
}

function run(file: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill('SIGTERM'));
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
