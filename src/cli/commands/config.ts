// cvmfsexec config: every parameter of a repository and where its value comes from, in the form of `cvmfs_config showconfig`
// (client.md §9.5).

import { systemPlaces } from '../../config/cache-candidates.ts';
import { cachePlace } from '../../config/cache-place.ts';
import { KNOWN_NAMES } from '../../config/known-names.ts';
import { type Parameters, type Source, sourceText } from '../../config/parameters.ts';
import { type UnknownName, unknownNames } from '../../config/unknown-names.ts';
import { outerUserId } from '../../launcher/outer-user.ts';
import type { LaunchWords } from '../launch-words.ts';
import { askedRepositories } from '../settings/asked-repositories.ts';
import { toldParameters } from '../settings/repository.ts';
import { repositorySubcommand } from './repository-arguments.ts';

/** CVMFS_CACHE_DIR where it follows from others. */
const COMPUTED = 'computed';

interface Value {
  readonly name: string;
  /** null: not set. */
  readonly value: string | null;
  readonly source: Source | typeof COMPUTED | null;
}

interface Configuration {
  readonly repository: string;
  /** What was asked for its configuration, and whether it answered. */
  readonly configurationRepository: { readonly name: string; readonly used: boolean } | undefined;
  readonly parameters: readonly Value[];
  readonly unknown: readonly UnknownName[];
  readonly warnings: readonly string[];
}

export const main = repositorySubcommand({
  name: 'config',
  description: 'Print every parameter of a repository, and where its value comes from.',
  examples: ['config atlas.cern.ch', 'config -s -o CVMFS_TIMEOUT=3 atlas cms', 'config --json atlas.cern.ch'],
  repositories: 'optional',
  configure: (command) => command.option('-s, --set-only', 'leave out what is not set'),
  async run({ launch, json, flags }) {
    const all: Configuration[] = [];
    for (const name of askedRepositories(launch)) all.push(await configurationOf(name, launch));
    if (json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
    else
      for (const configuration of all) print(configuration, launch.repositories.length !== 1, flags.setOnly === true);
    return 0;
  },
});

async function configurationOf(name: string, launch: LaunchWords): Promise<Configuration> {
  const { value: parameters, warnings } = await toldParameters(name, launch, report);
  const { fqrn, configurationRepository: asked, files } = parameters;
  const names = new Set([...KNOWN_NAMES, ...parameters.names()]);
  // Below it is the repository's own name, and the place that is really used.
  for (const special of ['CVMFS_REPOSITORY_NAME', 'CVMFS_CACHE_DIR']) names.delete(special);
  const values = [...names].map((key): Value => {
    return { name: key, value: parameters.get(key) ?? null, source: parameters.source(key) ?? null };
  });
  values.push(cacheDirectory(parameters));
  return {
    repository: fqrn,
    configurationRepository: asked === undefined ? undefined : { name: asked, used: files.signed !== undefined },
    parameters: values.sort((left, right) => (left.name < right.name ? -1 : 1)),
    unknown: unknownNames(parameters),
    warnings,
  };
}

/** Where the cache is in the end. There may be no place for it, as launches will say. */
function cacheDirectory(parameters: Parameters): Value {
  const name = 'CVMFS_CACHE_DIR';
  try {
    const { directory } = cachePlace(parameters, outerUserId(), systemPlaces(process.env));
    const given = parameters.get(name) === directory ? parameters.source(name) : undefined;
    return { name, value: directory, source: given ?? COMPUTED };
  } catch {
    return { name, value: null, source: null };
  }
}

function print({ repository, parameters, unknown, warnings }: Configuration, headed: boolean, setOnly: boolean): void {
  const lines = headed ? ['', `Running cvmfsexec config ${repository}:`] : [];
  lines.push(`CVMFS_REPOSITORY_NAME=${repository}`);
  for (const { name, value, source } of parameters) {
    if (value !== null) lines.push(`${name}=${oneLine(value)}    # ${origin(source)}`);
    else if (!setOnly) lines.push(`${name}=`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  for (const warning of warnings) report(warning);
  for (const { name, nearest } of unknown) {
    report(`${name} means nothing to the client${nearest ? `: did you mean ${nearest}?` : ''}`);
  }
}

function origin(source: Value['source']): string {
  return source === COMPUTED ? COMPUTED : `from ${sourceText(source ?? undefined)}`;
}

function oneLine(value: string): string {
  return /[\n\r]/.test(value) ? JSON.stringify(value) : value;
}

function report(message: string): void {
  process.stderr.write(`cvmfsexec: ${message}\n`);
}
