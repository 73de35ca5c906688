// The parameters of a repository from everywhere, the configuration repository included.
import { ConfigError } from '../../config/error.ts';
import { Parameters } from '../../config/parameters.ts';
import { fullName } from '../../config/repository-name.ts';
import { whenLocal } from '../../filesystem/when-local.ts';
import type { LaunchWords } from '../launch-words.ts';
import {
  type ConfigurationRepository,
  openConfigurationRepository,
  type SettingsOf,
} from './configuration-repository.ts';

type Report = (message: string) => void;

export interface ParameterRequest {
  /** As people give it: may lack the domain. */
  readonly name: string;
  readonly launch: LaunchWords;
  /** How a configuration repository is opened. */
  readonly settingsOf: SettingsOf;
  /** Told of what happens to the configuration repository. */
  readonly report: Report;
}

export interface Used<Value> {
  readonly value: Value;
  /** Of everything in the configuration that does not end the launch. */
  readonly warnings: readonly string[];
}

/**
 * Resolves to what `use` makes of the parameters. It must have no effect, since it is called again when a file that it reads
 * by `parameters.files` had to be fetched first.
 * @throws ConfigError, and what `use` throws
 */
export async function withParameters<Value>(
  { name, launch, settingsOf, report }: ParameterRequest,
  use: (parameters: Parameters) => Value,
): Promise<Used<Value>> {
  const { parameters: options, configDirectory, configFiles } = launch;
  const sources = { options, configDirectory, configFiles, environment: process.env };
  const fqrn = fullName(name, sources);
  const own = Parameters.load({ ...sources, fqrn });
  const repository = own.configurationRepository;
  if (repository === undefined) return { value: use(own), warnings: own.warnings };
  let configuration: ConfigurationRepository;
  try {
    configuration = await openConfigurationRepository(repository, sources, settingsOf, report);
  } catch (error) {
    if (own.isOn('CVMFS_CONFIG_REPO_REQUIRED')) throw error;
    const { message } = error as Error;
    return {
      value: withoutRepository(() => use(own), message),
      warnings: [...own.warnings, `${message}; going on without it`],
    };
  }
  try {
    const { files } = configuration;
    return await whenLocal(() => {
      const parameters = Parameters.load({ ...sources, fqrn, configurationRepository: files });
      return { value: use(parameters), warnings: parameters.warnings };
    });
  } finally {
    configuration.release();
  }
}

/** Where something is missing now, the configuration repository may be why. */
function withoutRepository<Value>(use: () => Value, reason: string): Value {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof ConfigError) || !['MISSING', 'NO_KEY'].includes(error.code)) throw error;
    throw new ConfigError(error.code, `${error.message}; ${reason}`, error);
  }
}
