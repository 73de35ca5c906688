// What `cvmfsexec` does without launching a command: subcommands, --help and --version. Launching is done by bin/cvmfsexec
// and the server; the options are declared here for people and for the documentation only.
import chalk from 'chalk';
import { Command, Option } from 'commander';
import { SUBCOMMANDS } from './commands/subcommands.ts';

const EXAMPLES = `Examples:
  cvmfsexec atlas.cern.ch -- ls /cvmfs/atlas.cern.ch
  cvmfsexec sft.cern.ch cms.cern.ch            (an interactive shell, $SHELL)
  cvmfsexec --auto='*.cern.ch' -- ./job.sh     (repositories appear when the job goes there)
  cvmfsexec -o CVMFS_HTTP_PROXY=http://proxy.site:3128 atlas.cern.ch -- ./job.sh
  cvmfsexec --image debian:stable -- cat /etc/issue
  cvmfsexec -o CVMFS_SERVER_URL=http://host/cvmfs/@fqrn@ -o CVMFS_KEYS_DIR=/path/keys \\
            -o CVMFS_CACHE_BASE=/scratch/cache my.example.org -- make
`;

const NOTES = `
Parameters (CVMFS_*) come from, later ones winning: built-in values, the files in /etc/cvmfs (or --config DIR),
the environment, -o. Servers and keys of cern.ch, opensciencegrid.org and egi.eu are built in.

The command runs under your own user id, in your directory, with your environment; its exit status is passed on,
128+n if it was killed by signal n. 125: cvmfsexec itself failed, 126: the command cannot be run, 127: not found.
`;

/** What is done instead of a launch. */
function subcommands(): string {
  const lines = Object.entries(SUBCOMMANDS).map(([name, { summary }]) => `  ${name.padEnd(16)} ${summary}`);
  return `\n${chalk.bold('Commands')} (cvmfsexec NAME --help):\n${lines.join('\n')}`;
}

export function command(): Command {
  return (
    new Command('cvmfsexec')
      .usage('[options] REPOSITORY... [-- COMMAND [ARGUMENT...]]')
      .description('Run a command with CernVM-FS repositories mounted under /cvmfs: no root, nothing installed.')
      .argument('<repository...>', 'names; one without a dot gets CVMFS_DEFAULT_DOMAIN')
      .addOption(new Option('-o <KEY=VALUE>', 'set a parameter; repeatable, the last wins'))
      .addOption(new Option('--config <DIR>', 'read the configuration files there instead of /etc/cvmfs'))
      .addOption(new Option('--offline', 'use no network: what is in the cache is all there is'))
      .addOption(new Option('--record <FILE>', 'write to the end of it what the command uses of the repositories'))
      .addOption(
        new Option('--overlay <TREE[:DIR]>', 'make REPO or REPO/PATH writable for the command; DIR keeps changes'),
      )
      .addOption(
        new Option('--overlay-engine <NAME>', "kernel, fuse (fuse-overlayfs), or auto: the kernel's if it can"),
      )
      .addOption(new Option('--fuse-overlayfs <PATH>', 'the program, if it is not on PATH'))
      .addOption(new Option('-d, --debug', 'print every request to the file system and its reply on stderr'))
      .addOption(
        new Option('--image <IMAGE>', 'run the command in this image: a directory, or a name such as debian:stable'),
      )
      .addOption(new Option('--bind <SRC[:DST[:ro]]>', 'show a file or directory in the image; repeatable'))
      .addOption(new Option('--env <NAME=VALUE>', 'set a variable in the image; repeatable'))
      .addOption(new Option('--cleanenv', 'no variables of the caller in the image'))
      .addOption(new Option('--contain', 'new, empty /tmp, /var/tmp and home in the image, and few devices'))
      .addOption(new Option('--no-home', 'no home directory of the caller in the image'))
      .addOption(new Option('--pwd <DIR>', 'start the command in this directory of the image'))
      .addOption(
        new Option('-m <IMAGE>', 'mount this ext2, ext3 or ext4 image as scratch space at /e2fs (needs fuse2fs)'),
      )
      .addOption(new Option('--host-pids', 'no process ids of its own for the job: ranks of MPI share memory by them'))
      .addOption(new Option('--map-subids', 'let the command make namespaces with your ids of /etc/subuid (podman)'))
      .addOption(
        new Option(
          '--auto [PATTERN]',
          "mount repositories when somebody goes there; --auto='*.cern.ch': only those; repeatable",
        ),
      )
      .addOption(new Option('--status-fd <N>', 'write events as lines of JSON to descriptor N, 3 to 9'))
      .addOption(new Option('--own', 'inside a job: a job of its own, also where all is mounted already'))
      .addOption(new Option('-N', 'no more repositories can be mounted from inside ($CVMFSMOUNT, $CVMFSUMOUNT)'))
      .version(version(), '-v, --version', 'print the version; --version also what it finds on this host')
      // Commander takes the colours out again where they are not wanted (no terminal, NO_COLOR).
      .configureHelp({ styleTitle: (title) => chalk.bold(title) })
      .addHelpText('beforeAll', EXAMPLES)
      .addHelpText('after', subcommands())
      .addHelpText('after', NOTES)
      .allowUnknownOption(true)
      .exitOverride()
  );
}

export async function main(args: string[]): Promise<number> {
  const subcommand = SUBCOMMANDS[args[0] ?? ''];
  if (subcommand) return (await subcommand.load())(args.slice(1));
  const program = command();
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    program.outputHelp();
    return 0;
  }
  if (args.some((arg) => arg === '--version' || arg === '-v')) {
    process.stdout.write(`cvmfsexec ${version()}\n`);
    if (args.includes('--version')) process.stdout.write(await host());
    return 0;
  }
  const wrong = args.length === 0 ? 'no repository named' : `'${args[0]}' is neither a repository nor a command`;
  process.stderr.write(`cvmfsexec: ${wrong}; see 'cvmfsexec --help'\n`);
  return 125;
}

/** A line for each feature. */
async function host(): Promise<string> {
  const { features } = await import('../doctor/features.ts');
  const found = [{ name: 'Node', found: process.version }, ...(await features())];
  return found.map(({ name, found }) => `  ${name.padEnd(16)} ${found}\n`).join('');
}

function version(): string {
  return process.env.CVMFSEXEC_VERSION ?? 'development';
}
