// The configuration repository (client.md §8.1): a repository like all others, opened by the same client in this process
// before the parameters of the others are known, and read without being mounted.
import { ConfigError } from '../../config/error.ts';
import type { FileTree } from '../../config/file-tree.ts';
import { type ParameterOptions, Parameters } from '../../config/parameters.ts';
import { MountedRepository, type RepositorySettings } from '../../filesystem/mounted-repository.ts';
import { RepositoryFiles } from '../../filesystem/repository-files.ts';
import { whenLocal } from '../../filesystem/when-local.ts';

export type ParameterSources = Omit<ParameterOptions, 'fqrn' | 'configurationRepository'>;

export type SettingsOf = (parameters: Parameters, report: (message: string) => void) => RepositorySettings;

/** To be released when it has been read. */
export interface ConfigurationRepository {
  readonly files: FileTree;
  release(): void;
}

/** Far more than opening takes; a proxy that keeps silent must not hold up a job for ever. */
const OPEN_WITHIN_MS = 60_000;
/** These say which revision of the repositories of a launch is meant, not which configuration. */
const OF_OTHERS = new Set(['CVMFS_REPOSITORY_TAG', 'CVMFS_REPOSITORY_DATE', 'CVMFS_ROOT_HASH', 'CVMFS_ALT_ROOT_PATH']);

/** One for all repositories of a launch; they all ask for it before any has it. */
const opened = new Map<string, { readonly repository: Promise<MountedRepository>; users: number }>();

/** @throws ConfigError NO_CONFIGURATION */
export async function openConfigurationRepository(
  name: string,
  sources: ParameterSources,
  settingsOf: SettingsOf,
  report: (message: string) => void,
): Promise<ConfigurationRepository> {
  const key = JSON.stringify([name, sources]);
  const shared = opened.get(key) ?? { repository: open(name, sources, settingsOf, report), users: 0 };
  opened.set(key, shared);
  shared.users++;
  const release = (): void => {
    if (--shared.users > 0) return;
    opened.delete(key);
    shared.repository.then((repository) => repository.close()).catch(() => {});
  };
  try {
    const files = new RepositoryFiles((await within(OPEN_WITHIN_MS, shared.repository)).operations);
    const kind = await whenLocal(() => files.kind('/etc/cvmfs'));
    if (kind !== 'directory') throw new Error('it has no directory /etc/cvmfs');
    return { files, release };
  } catch (cause) {
    release();
    const reason = (cause as Error).message;
    throw new ConfigError('NO_CONFIGURATION', `cannot use the configuration repository ${name}: ${reason}`, cause);
  }
}

async function open(
  name: string,
  sources: ParameterSources,
  settingsOf: SettingsOf,
  report: (message: string) => void,
): Promise<MountedRepository> {
  const environment = Object.fromEntries(Object.entries(sources.environment).filter(([key]) => !OF_OTHERS.has(key)));
  const own = { ...sources, environment, options: configurationOptions(sources.options) };
  const tell = (message: string): void => report(`${name}: ${message}`);
  return MountedRepository.open(settingsOf(Parameters.load({ ...own, fqrn: name }), tell));
}

/** Those of a launch that mean its configuration repository as well. */
export function configurationOptions(options: readonly string[]): string[] {
  return options.filter((option) => !OF_OTHERS.has(option.slice(0, option.indexOf('='))));
}

async function within<Value>(milliseconds: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
