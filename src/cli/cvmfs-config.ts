// cvmfs_config: the original's subcommands, as far as they make sense for mounts that belong to jobs (client.md §9.5).
import { parseLaunchWords, resolvePaths } from './launch-words.ts';
import { hintingAt } from './usage-error.ts';

type Run = (args: string[]) => Promise<number>;

const USAGE = `Usage: cvmfs_config <command> [options] [<repository>...]

Example:
  cvmfs_config stat -v atlas.cern.ch

  showconfig [-s] [<repository>]   parameters and where they come from    (cvmfsexec config)
  stat [-v] [<repository>]         how mounted repositories are doing     (cvmfsexec stat)
  status                           your jobs that have repositories mounted
  probe [<repository>...]          mount for a moment, to see whether it works
  chksetup [<repository>...]       check this machine and the site        (cvmfsexec doctor)
  fsck [options]                   check the cache                        (cvmfs_fsck)
  wipecache                        empty the cache                        (cvmfsexec cache)

Options -o KEY=VALUE and --config DIR are those of cvmfsexec.
`;

/** Things that are done to a machine on which a service mounts repositories. */
const REFUSED: Readonly<Record<string, string>> = {
  setup: 'nothing has to be set up: cvmfsexec needs no account, no service and no automounter',
  umount: 'a mount ends with its job: end the job',
  killall: 'mounts end with their jobs: end the jobs',
  reload: 'there is no module to load again; a new revision is taken without it (cvmfs_talk -i REPOSITORY remount)',
  fuser: 'a mount is seen by its job only: all processes of the job may use it (cvmfsexec stat --all shows the jobs)',
  bugreport: "send what 'cvmfsexec doctor REPOSITORY' prints",
};

export async function main([command = '', ...args]: string[]): Promise<number> {
  if (command === '' || command === '-h' || command === '--help') {
    (command ? process.stdout : process.stderr).write(USAGE);
    return command ? 0 : 1;
  }
  const run = COMMANDS[command];
  if (run) return run(args);
  const reason = REFUSED[command] ?? 'unknown command; see cvmfs_config --help';
  process.stderr.write(`cvmfs_config ${command}: ${reason}\n`);
  return 1;
}

const COMMANDS: Readonly<Record<string, Run>> = {
  showconfig: (args) => subcommand('config', args),
  stat: stat,
  status: status,
  probe: (args) => subcommand('probe', args),
  chksetup: (args) => subcommand('doctor', args),
  fsck: async (args) => (await import('./cvmfs-fsck.ts')).main(args),
  wipecache: (args) => subcommand('cache', ['wipe', ...args]),
};

async function subcommand(name: string, args: string[]): Promise<number> {
  const { SUBCOMMANDS } = await import('./commands/subcommands.ts');
  const found = SUBCOMMANDS[name];
  if (!found) throw new Error(`'cvmfsexec ${name}' is not there`);
  return (await found.load())(args);
}

/** Without -v a table, as the original has it. */
async function stat(args: string[]): Promise<number> {
  const verbose = args.includes('-v');
  const launch = launchOf(args.filter((word) => word !== '-v'));
  const [{ statusOfNewest }, { statLines, statTable }, { TalkError }, { talkPlace }, { askedRepositories }] =
    await Promise.all([
      import('../talk/running.ts'),
      import('../talk/stat-text.ts'),
      import('../talk/talk-client.ts'),
      import('./talk-place.ts'),
      import('./settings/asked-repositories.ts'),
    ]);
  const names = askedRepositories(launch);
  let missing = false;
  for (const name of names) {
    const { fqrn, place } = await talkPlace(name, launch);
    try {
      const found = await statusOfNewest(place);
      if (names.length > 1) process.stdout.write(`\nRunning cvmfs_config stat ${fqrn}:\n`);
      process.stdout.write(`${(verbose ? statLines(found) : statTable([found])).join('\n')}\n`);
    } catch (error) {
      if (!(error instanceof TalkError)) throw error;
      missing = true;
      process.stderr.write(error.code === 'NOT_RUNNING' ? `${fqrn} not mounted\n` : `${fqrn}: ${error.message}\n`);
    }
  }
  return missing ? 1 : 0;
}

async function status(args: string[]): Promise<number> {
  const [{ statusOfAll }, { talkPlace }, { askedRepositories }] = await Promise.all([
    import('../talk/running.ts'),
    import('./talk-place.ts'),
    import('./settings/asked-repositories.ts'),
  ]);
  const launch = launchOf(args);
  for (const name of askedRepositories(launch)) {
    const { fqrn, place } = await talkPlace(name, launch);
    for (const { mountpoint, pid } of await statusOfAll(place)) {
      process.stdout.write(`${fqrn} mounted on ${mountpoint} with pid ${pid}\n`);
    }
  }
  return 0;
}

function launchOf(args: string[]) {
  return resolvePaths(
    hintingAt('cvmfs_config', () => parseLaunchWords(args, 'optional')),
    process.cwd(),
  );
}
