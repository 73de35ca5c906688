// From the parameters of a repository to what mounting it needs.
import type { KeyObject } from 'node:crypto';
import { masterKeys } from '../../config/key-files.ts';
import { parameterLines } from '../../config/parameter-line.ts';
import type { Parameters } from '../../config/parameters.ts';
import { checkStrictMount } from '../../config/strict-mount.ts';
import { misspeltNames } from '../../config/unknown-names.ts';
import type { OwnershipRules } from '../../filesystem/attributes.ts';
import type { RepositorySettings } from '../../filesystem/mounted-repository.ts';
import type { Blacklist } from '../../repository/blacklist.ts';
import { parseMasterKey } from '../../repository/master-keys.ts';
import type { LaunchWords } from '../launch-words.ts';
import { attributeRules } from './attributes.ts';
import { authzSettings } from './authz.ts';
import { blacklistReader } from './blacklist.ts';
import { cacheSettings } from './cache.ts';
import { fixedRoot } from './fixed-root.ts';
import { openLog } from './logs.ts';
import { ownership } from './ownership.ts';
import { type ParameterRequest, type Used, withParameters } from './parameters.ts';
import { externalServers, servers } from './servers.ts';
import { talkSocket } from './talk.ts';
import { telemetry } from './telemetry.ts';
import { followsUpdates } from './updates.ts';
import { variables } from './variables.ts';

type Report = (message: string) => void;

/**
 * @param report told of everything in the configuration that does not end the launch
 * @throws ConfigError, RepositoryError: why the repository cannot be mounted
 */
export async function repositorySettings(
  name: string,
  launch: LaunchWords,
  report: Report,
): Promise<RepositorySettings> {
  const { value, warnings } = await withParameters(parameterRequest(name, launch, report), readFiles);
  return settingsFrom(value, launch, report, [...warnings, ...misspeltNames(value.parameters)]);
}

/** The parameters alone. */
export async function repositoryParameters(name: string, launch: LaunchWords, report: Report): Promise<Parameters> {
  return (await toldParameters(name, launch, report)).value;
}

/** With what is to be told about them. */
export function toldParameters(name: string, launch: LaunchWords, report: Report): Promise<Used<Parameters>> {
  return withParameters(parameterRequest(name, launch, report), (parameters) => parameters);
}

function parameterRequest(name: string, launch: LaunchWords, report: Report): ParameterRequest {
  const settingsOf: ParameterRequest['settingsOf'] = (parameters, tell) =>
    settingsFrom(readFiles(parameters), launch, tell);
  return { name, launch, report, settingsOf };
}

/** The parameters, and what is in the files that they name, which may lie in the configuration repository. */
interface Configuration {
  readonly parameters: Parameters;
  readonly masterKeys: readonly KeyObject[];
  readonly blacklist: Blacklist;
  readonly readBlacklist: () => Blacklist;
  readonly ownership: OwnershipRules;
}

function readFiles(parameters: Parameters): Configuration {
  const readBlacklist = blacklistReader(parameters);
  return {
    parameters,
    readBlacklist,
    masterKeys: masterKeys(parameters).map(({ pem, label }) => parseMasterKey(pem, label)),
    blacklist: readBlacklist(),
    ownership: ownership(parameters),
  };
}

function settingsFrom(
  { parameters, ...configuration }: Configuration,
  launch: LaunchWords,
  report: Report,
  warnings: readonly string[] = parameters.warnings,
): RepositorySettings {
  const log = openLog(parameters, report);
  const warn = (message: string): void => log.warn(message);
  for (const warning of warnings) warn(warning);
  checkStrictMount(parameters);
  const cache = cacheSettings(parameters, warn);
  return {
    ...configuration,
    fqrn: parameters.fqrn,
    fixedRoot: fixedRoot(parameters),
    tag: parameters.get('CVMFS_REPOSITORY_TAG'),
    date: parameters.get('CVMFS_REPOSITORY_DATE'),
    alternativePath: parameters.isOn('CVMFS_ALT_ROOT_PATH'),
    autoUpdate: followsUpdates(parameters),
    ...cache,
    offline: launch.offline,
    // Without network it does not matter where the servers are.
    servers: launch.offline ? { servers: [] } : servers(parameters, cache.cacheDirectory, report),
    externalServers: launch.offline ? { servers: [] } : externalServers(parameters, cache.cacheDirectory, report),
    bundleWorkers: parameters.isOn('CVMFS_PREFETCH_FILEBUNDLES')
      ? Math.max(1, parameters.number('CVMFS_BUNDLE_POOL_SIZE', 8))
      : undefined,
    instrumented: parameters.isOn('CVMFS_INSTRUMENT_FUSE'),
    authz: authzSettings(parameters),
    variables: variables(parameters),
    attributeRules: attributeRules(parameters, warn),
    report: warn,
    log,
    configurationRepository: parameters.configurationRepository,
    telemetry: telemetry(parameters, warn),
    talkSocket: talkSocket(parameters, cache.cacheDirectory),
    parameterLines: () => parameterLines(parameters),
  };
}
