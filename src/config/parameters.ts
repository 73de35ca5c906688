// The parameters of one repository: built-in values, files, environment, options; later ones win (client.md §8.1, §8.6).
import { readdirSync, readFileSync } from 'node:fs';
import { parseAssignments } from './assignments.ts';
import { DEFAULT_PARAMETERS, DOMAINS, REPOSITORIES } from './defaults.ts';
import { ConfigError } from './error.ts';

export type Source = { readonly file: string; readonly line: number } | 'built-in' | 'environment' | '-o';

interface Setting {
  readonly value: string;
  readonly source: Source;
}

export interface ParameterOptions {
  readonly fqrn: string;
  /** KEY=VALUE, the last wins. */
  readonly options: readonly string[];
  /** Instead of /etc/cvmfs; must exist then. */
  readonly configDirectory?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const SYSTEM_DIRECTORY = '/etc/cvmfs';

export class Parameters {
  readonly fqrn: string;
  /** One line each: what was found in the files and left out. */
  readonly warnings: string[] = [];
  readonly #settings = new Map<string, Setting>();

  private constructor(fqrn: string) {
    this.fqrn = fqrn;
  }

  /** @throws ConfigError NO_FILE for a configuration directory that was named and cannot be read */
  static load({ fqrn, options, configDirectory, environment }: ParameterOptions): Parameters {
    const parameters = new Parameters(fqrn);
    for (const [name, value] of Object.entries(DEFAULT_PARAMETERS)) parameters.#set(name, value, 'built-in');
    for (const [name, value] of Object.entries(REPOSITORIES[fqrn] ?? {})) {
      if (!environment[name]) parameters.#set(name, value, 'built-in');
    }
    const directory = configDirectory ?? SYSTEM_DIRECTORY;
    for (const file of filesFor(fqrn, directory, configDirectory !== undefined)) parameters.#read(file, environment);
    for (const [name, value] of Object.entries(environment)) {
      if (name.startsWith('CVMFS_') && value !== undefined) parameters.#set(name, value, 'environment');
    }
    for (const option of options) {
      const equals = option.indexOf('=');
      parameters.#set(option.slice(0, equals), option.slice(equals + 1), '-o');
    }
    parameters.#useDomain();
    return parameters;
  }

  /** With `@fqrn@` and `@org@` replaced (client.md §8.4); undefined: not set. Set to nothing is ''. */
  get(name: string): string | undefined {
    const value = this.#settings.get(name)?.value;
    return value?.includes('@') ? this.#replaceTemplates(value) : value;
  }

  /** yes, on, 1 and true in any case are on, all else is off (client.md §8.5). */
  isOn(name: string): boolean {
    return /^(yes|on|1|true)$/i.test(this.get(name) ?? '');
  }

  /** The leading digits, with a sign; `missing` when not set or empty, 0 for what is no number. */
  number(name: string, missing: number): number {
    const value = this.get(name);
    if (value === undefined || value === '') return missing;
    return Number(/^\s*([-+]?\d+)/.exec(value)?.[1] ?? 0);
  }

  /** Where the value comes from. */
  source(name: string): Source | undefined {
    return this.#settings.get(name)?.source;
  }

  /** Set by files, environment or options, not only built in. */
  isChosen(name: string): boolean {
    const source = this.source(name);
    return source !== undefined && source !== 'built-in';
  }

  /** All that are set, in ascending order. */
  names(): string[] {
    return [...this.#settings.keys()].sort();
  }

  #set(name: string, value: string, source: Source): void {
    this.#settings.set(name, { value, source });
  }

  #read(file: string, environment: ParameterOptions['environment']): void {
    let text: string;
    try {
      text = readFileSync(file, 'latin1');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.warnings.push(`${file} cannot be read (${code}): left out`);
      return;
    }
    const { assignments, skipped } = parseAssignments(
      text,
      (name) => this.#settings.get(name)?.value ?? environment[name],
    );
    for (const { name, value, line } of assignments) this.#set(name, value, { file, line });
    for (const line of skipped) this.warnings.push(`${file}:${line}: more than NAME=value, left out`);
  }

  /** Servers and keys of a domain that is built in, where neither files nor options name others. */
  #useDomain(): void {
    const domain = DOMAINS[domainOf(this.fqrn)];
    if (!domain) return;
    if (!this.isChosen('CVMFS_SERVER_URL')) {
      const servers = this.get('CVMFS_USE_CDN') === 'yes' ? domain.cdn : domain.servers;
      this.#set('CVMFS_SERVER_URL', servers.join(';'), 'built-in');
    }
    if (!this.isChosen('CVMFS_USE_GEOAPI')) this.#set('CVMFS_USE_GEOAPI', 'yes', 'built-in');
    if (!this.isChosen('CVMFS_KEYS_DIR')) {
      this.#set('CVMFS_KEYS_DIR', `${SYSTEM_DIRECTORY}/keys/${domainOf(this.fqrn)}`, 'built-in');
    }
  }

  #replaceTemplates(value: string): string {
    return value.replaceAll('@fqrn@', this.fqrn).replaceAll('@org@', this.fqrn.split('.')[0]);
  }
}

/** Everything after the first dot. */
export function domainOf(fqrn: string): string {
  return fqrn.slice(fqrn.indexOf('.') + 1);
}

/** Completes a repository name without a dot by CVMFS_DEFAULT_DOMAIN. */
export function fullName(name: string, options: Omit<ParameterOptions, 'fqrn'>): string {
  if (name.includes('.')) return name;
  const domain = Parameters.load({ ...options, fqrn: '' }).get('CVMFS_DEFAULT_DOMAIN');
  return domain ? `${name}.${domain}` : name;
}

/** In the order in which they are read; an empty fqrn asks for the settings of all repositories (client.md §8.1). */
function filesFor(fqrn: string, directory: string, required: boolean): string[] {
  const files = [`${directory}/default.conf`, ...defaultDirectory(directory, required), `${directory}/default.local`];
  if (fqrn === '') return files;
  for (const stem of [`domain.d/${domainOf(fqrn)}`, `config.d/${fqrn}`]) {
    files.push(`${directory}/${stem}.conf`, `${directory}/${stem}.local`);
  }
  return files;
}

function defaultDirectory(directory: string, required: boolean): string[] {
  const parent = `${directory}/default.d`;
  try {
    const names = readdirSync(parent).filter((name) => name.endsWith('.conf'));
    return names.sort().map((name) => `${parent}/${name}`);
  } catch {
    if (required) requireDirectory(directory);
    return [];
  }
}

function requireDirectory(directory: string): void {
  try {
    readdirSync(directory);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ConfigError(
      'NO_FILE',
      `cannot read the configuration directory ${directory} (${code}): check --config`,
      cause,
    );
  }
}
