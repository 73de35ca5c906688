// The parameters of one repository: built-in values, files, environment, options; later ones win (client.md §8.1, §8.6).
import { readFileSync } from 'node:fs';
import { parseAssignments, type Surroundings } from './assignments.ts';
import { DEFAULT_PARAMETERS, DEFAULT_PROXY, DOMAINS, REPOSITORIES } from './defaults.ts';
import { ConfigError } from './error.ts';
import { domainOf, filesFor, isMissing, requireDirectory, SYSTEM_DIRECTORY } from './files.ts';

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
  /** What is read without a configDirectory; /etc/cvmfs. */
  readonly systemDirectory?: string;
}

export class Parameters {
  readonly fqrn: string;
  /** One line each: what was found in the files and left out. */
  readonly warnings: string[] = [];
  readonly #settings = new Map<string, Setting>();
  readonly #directory: string;
  /** The files are those of the system, which concern everybody. */
  readonly #ofSystem: boolean;

  private constructor(fqrn: string, directory: string, ofSystem: boolean) {
    this.fqrn = fqrn;
    this.#directory = directory;
    this.#ofSystem = ofSystem;
  }

  /** @throws ConfigError NO_FILE for a configuration directory that was named and cannot be read, BAD_OPTION */
  static load({ fqrn, options, configDirectory, environment, systemDirectory }: ParameterOptions): Parameters {
    const directory = configDirectory ?? systemDirectory ?? SYSTEM_DIRECTORY;
    if (configDirectory !== undefined) requireDirectory(configDirectory);
    const parameters = new Parameters(fqrn, directory, configDirectory === undefined);
    for (const [name, value] of Object.entries(DEFAULT_PARAMETERS)) parameters.#set(name, value, 'built-in');
    const later = laterSettings(environment, options);
    const surroundings = {
      fixed: (name: string) => later.get(name)?.value,
      earlier: (name: string) => parameters.#settings.get(name)?.value ?? environment[name],
    };
    const files = filesFor(fqrn, directory, (message) => parameters.warnings.push(message));
    for (const file of files) parameters.#read(file, surroundings);
    for (const [name, { value, source }] of later) parameters.#set(name, value, source);
    parameters.#complete(environment);
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

  /** Set by a file under /etc/cvmfs, which was written for everybody, and maybe for another client than this. */
  isOfSystem(name: string): boolean {
    return this.#ofSystem && typeof this.source(name) === 'object';
  }

  /** All that are set, in ascending order. */
  names(): string[] {
    return [...this.#settings.keys()].sort();
  }

  #set(name: string, value: string, source: Source): void {
    this.#settings.set(name, { value, source });
  }

  #read(file: string, surroundings: Surroundings): void {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!isMissing(code)) this.warnings.push(`${file} cannot be read (${code}): left out`);
      return;
    }
    const { assignments, skipped } = parseAssignments(text, surroundings);
    for (const { name, value, line } of assignments) {
      // A default.conf as it is shipped chooses nothing.
      const shipped = file === `${this.#directory}/default.conf` && value === DEFAULT_PARAMETERS[name];
      if (!shipped || this.#settings.get(name)?.value !== value) this.#set(name, value, { file, line });
    }
    for (const { first, last } of skipped) {
      const lines = first === last ? first : `${first}-${last}`;
      this.warnings.push(`${file}:${lines}: more shell than is understood here, left out`);
    }
  }

  /** Values for the repository and its domain, where nobody set others. */
  #complete(environment: ParameterOptions['environment']): void {
    const domain = domainOf(this.fqrn);
    const known = DOMAINS.get(domain);
    if (known) {
      const servers = this.get('CVMFS_USE_CDN') === 'yes' ? known.cdn : known.servers;
      this.#setDefault('CVMFS_SERVER_URL', servers.join(';'));
      this.#setDefault('CVMFS_USE_GEOAPI', 'yes');
      this.#setDefault('CVMFS_KEYS_DIR', `${DEFAULT_PARAMETERS.CVMFS_KEYS_DIR}/${domain}`);
    }
    for (const [name, value] of Object.entries(REPOSITORIES.get(this.fqrn) ?? {})) {
      if (!this.get(name) && !environment[name]) this.#set(name, value, 'built-in');
    }
    if (!this.get('CVMFS_HTTP_PROXY')) this.#set('CVMFS_HTTP_PROXY', DEFAULT_PROXY, 'built-in');
  }

  #setDefault(name: string, value: string): void {
    if (!this.isChosen(name)) this.#set(name, value, 'built-in');
  }

  /** From left to right; unknown names stay (client.md §8.4). */
  #replaceTemplates(value: string): string {
    return value.replace(/@([^@]*)@/g, (whole, name) => {
      if (name === 'fqrn') return this.fqrn;
      return name === 'org' ? this.fqrn.split('.')[0] : whole;
    });
  }
}

/** What the environment and the options set, which is more than files can change. */
function laterSettings(environment: ParameterOptions['environment'], options: readonly string[]): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('CVMFS_') && value !== undefined) settings.set(name, { value, source: 'environment' });
  }
  for (const option of options) {
    const equals = option.indexOf('=');
    if (equals < 1) throw new ConfigError('BAD_OPTION', `-o ${option}: expected KEY=VALUE`);
    settings.set(option.slice(0, equals), { value: option.slice(equals + 1), source: '-o' });
  }
  return settings;
}
