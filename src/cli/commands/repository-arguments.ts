// The words that all subcommands about repositories have, with the meaning they have for a launch:
//
//   cvmfsexec NAME [-o KEY=VALUE]... [--config DIR] [--json] REPOSITORY...
import { Command, Option } from 'commander';
import { type LaunchWords, parseLaunchWords, resolvePaths } from '../launch-words.ts';
import { parseWords } from '../parse-words.ts';
import type { Subcommand } from './subcommands.ts';

export interface RepositoryArguments {
  /** Paths are absolute. */
  readonly launch: LaunchWords;
  readonly json: boolean;
  /** Of the options that `configure` added, by commander's names for them. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Words that begin with a slash, of a subcommand that has such. */
  readonly paths?: readonly string[];
}

export interface RepositorySubcommand {
  readonly name: string;
  readonly description: string;
  /** Command lines, without `cvmfsexec`. */
  readonly examples: readonly string[];
  /** 'optional': the subcommand means something without a repository, too. */
  readonly repositories: 'required' | 'optional';
  /** Paths may stand among the repositories. */
  readonly paths?: boolean;
  /** Adds options of the subcommand's own. */
  readonly configure?: (command: Command) => void;
  /** Resolves to the exit code. */
  readonly run: (words: RepositoryArguments) => Promise<number>;
}

/** Parses, prints help where it is asked for, runs. The subcommand rejects for words that are not understood. */
export function repositorySubcommand({
  name,
  repositories,
  paths: hasPaths = false,
  configure,
  run,
  ...text
}: RepositorySubcommand): Subcommand {
  return async (args) => {
    const examples = text.examples.map((words) => `  cvmfsexec ${words}\n`).join('');
    const command = new Command(`cvmfsexec ${name}`)
      .description(text.description)
      .addHelpText('before', `Examples:\n${examples}`)
      .argument(
        repositories === 'required' ? '<repository...>' : '[repository...]',
        'without a dot: of CVMFS_DEFAULT_DOMAIN',
      )
      .addOption(new Option('-o <KEY=VALUE>', 'set a parameter; repeatable, the last wins').argParser(collect))
      .option('--config <DIR>', 'read the configuration files there instead of /etc/cvmfs')
      .option('--json', 'print JSON, for programs');
    configure?.(command);
    if (!parseWords(command, args)) return 0;
    const { o: parameters = [], config, json, ...flags } = command.opts<Flags>();
    const words = [...parameters.flatMap((parameter) => ['-o', parameter]), ...(config ? ['--config', config] : [])];
    const isPath = (word: string): boolean => hasPaths && word.startsWith('/');
    const names = command.args.filter((word) => !isPath(word));
    const launch = parseLaunchWords([...words, ...names], repositories);
    const paths = hasPaths ? { paths: command.args.filter(isPath) } : {};
    return run({ launch: resolvePaths(launch, process.cwd()), json: json ?? false, flags, ...paths });
  };
}

interface Flags {
  readonly o?: string[];
  readonly config?: string;
  readonly json?: boolean;
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
