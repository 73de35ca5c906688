// The parameters of one repository: built-in values, files, environment, options; later ones win (client.md §8.1, §8.6).
import { ConfigurationFiles } from './configuration-files.ts';
import { DEFAULT_PARAMETERS, DEFAULT_PROXY, DOMAINS, REPOSITORIES } from './defaults.ts';
import { ConfigError } from './error.ts';
import type { FileTree } from './file-tree.ts';
import { domainOf, firstFiles, laterFiles, requireDirectory, requireFile } from './files.ts';
import { isRepositoryName } from './names.ts';
import { readScript, type ScriptContext } from './script-file.ts';
import { SYSTEM_DIRECTORY } from './system-directory.ts';

export type Source = { readonly file: string; readonly line: number } | 'built-in' | 'environment' | '-o';

/** For people: a place, or one word. */
export function sourceText(source: Source | undefined): string {
  if (source === undefined) return 'not set';
  return typeof source === 'object' ? `${source.file}:${source.line}` : source;
}

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
  /** These, in this order, instead of those of a directory and of a configuration repository; must be readable. */
  readonly configFiles?: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What is read without a configDirectory; /etc/cvmfs. */
  readonly systemDirectory?: string;
  /** The content of the configuration repository; undefined: there is none, or it cannot be had. */
  readonly configurationRepository?: FileTree;
}

/** Which repository more configuration is in (client.md §8.1). What comes after default.d cannot change it. */
const CONFIGURATION_REPOSITORY = 'CVMFS_CONFIG_REPOSITORY';

export class Parameters {
  readonly fqrn: string;
  /** One line each: what was found in the files and left out. */
  readonly warnings: string[] = [];
  /** Where the files that these parameters name are found, such as keys. */
  readonly files: ConfigurationFiles;
  readonly #settings = new Map<string, Setting>();
  readonly #directory: string;
  /** The files are those of the system, which concern everybody. */
  readonly #ofSystem: boolean;
  #configurationRepository: string | undefined;
  /** Until default.d has been read, files may choose the configuration repository. */
  #mayChoose = true;

  private constructor({ fqrn, configDirectory, configFiles, systemDirectory, ...options }: ParameterOptions) {
    this.fqrn = fqrn;
    this.#directory = configDirectory ?? systemDirectory ?? SYSTEM_DIRECTORY;
    this.#ofSystem = configDirectory === undefined && configFiles === undefined;
    if (configDirectory !== undefined) requireDirectory(configDirectory);
    const later = laterSettings(options.environment, options.options);
    for (const [name, value] of Object.entries(DEFAULT_PARAMETERS)) this.#set(name, value, 'built-in');
    const fixed = (name: string): string | undefined => later.get(name)?.value;
    const context: Omit<ScriptContext, 'files'> = {
      fixed,
      earlier: (name) => this.#settings.get(name)?.value ?? options.environment[name],
      names: () => this.#settings.keys(),
      warn: (message) => this.warnings.push(message),
    };
    const { warn } = context;
    for (const file of configFiles ? [] : firstFiles(this.#directory, warn))
      this.#read(file, { ...context, files: new ConfigurationFiles() });

    this.#mayChoose = configFiles !== undefined;
    if (!configFiles) this.#configurationRepository = this.#chosenRepository(fixed(CONFIGURATION_REPOSITORY));
    const mountDirectory = fixed('CVMFS_MOUNT_DIR') ?? this.get('CVMFS_MOUNT_DIR');
    const mountpoint = `${mountDirectory}/${this.#configurationRepository}`;
    const tree = this.#configurationRepository && options.configurationRepository;
    this.files = new ConfigurationFiles(tree ? { mountpoint, tree } : undefined);
    for (const file of configFiles ?? []) requireFile(file);
    const files = configFiles ?? laterFiles(fqrn, this.#directory, tree ? `${mountpoint}/etc/cvmfs` : undefined);
    this.files.prefetch(files);
    for (const file of files) this.#read(file, { ...context, files: this.files });

    for (const [name, { value, source }] of later) this.#set(name, value, source);
    this.#complete(options.environment);
  }

  /** @throws ConfigError NO_FILE for a configuration directory that was named and cannot be read, BAD_OPTION */
  static load(options: ParameterOptions): Parameters {
    return new Parameters(options);
  }

  /** The configuration repository to be asked, whether it was or not; undefined: none is configured. */
  get configurationRepository(): string | undefined {
    return this.#configurationRepository;
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

  /** Set by a file that was written for everybody, and maybe for another client than this: under /etc/cvmfs, or signed. */
  isOfSystem(name: string): boolean {
    const source = this.source(name);
    return typeof source === 'object' && (this.#ofSystem || this.files.isSigned(source.file));
  }

  /** All that are set, in ascending order. */
  names(): string[] {
    return [...this.#settings.keys()].sort();
  }

  #set(name: string, value: string, source: Source): void {
    this.#settings.set(name, { value, source });
  }

  #read(file: string, context: ScriptContext): void {
    let text: string | undefined;
    try {
      text = context.files.read(file)?.toString('utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (typeof code !== 'string') throw error;
      context.warn(`${file} cannot be read (${code}): left out`);
    }
    if (text === undefined) return;
    for (const { name, value, line, file: included } of readScript(file, text, context)) {
      // A default.conf as it is shipped chooses nothing.
      const shipped = file === `${this.#directory}/default.conf` && value === DEFAULT_PARAMETERS[name];
      if (shipped && this.#settings.get(name)?.value === value) continue;
      const source = { file: included ?? file, line };
      if (name === CONFIGURATION_REPOSITORY && !this.#mayChoose && value !== (this.get(name) ?? '')) {
        context.warn(`${source.file}:${line}: it is too late to set ${name}: left out`);
      } else {
        this.#set(name, value, source);
      }
    }
  }

  #chosenRepository(fixed: string | undefined): string | undefined {
    const name = fixed ?? this.get(CONFIGURATION_REPOSITORY);
    if (!name || this.fqrn === '' || name === this.fqrn) return undefined;
    if (isRepositoryName(name)) return name;
    this.warnings.push(`${CONFIGURATION_REPOSITORY}=${name} is not a repository name: left out`);
    return undefined;
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
