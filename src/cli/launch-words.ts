// The words of `cvmfsexec` before `--`. Parsed by hand: this is on the way to the user's command, and a parser library
// costs more than everything else that happens there.
import { resolve } from 'node:path';
import { namePattern } from '../config/name-pattern.ts';
import { isRepositoryName } from '../config/names.ts';
import { checkEngine, type Overlay, parseOverlay } from './overlay-words.ts';
import { COMMAND_HINT, HINT, UsageError } from './usage-error.ts';

export { UsageError };

export interface LaunchWords {
  readonly repositories: readonly string[];
  /** KEY=VALUE, in order; the last wins. */
  readonly parameters: readonly string[];
  readonly configDirectory: string | undefined;
  /** These, in this order, instead of all files of a configuration directory. */
  readonly configFiles?: readonly string[];
  readonly debug: boolean;
  /** The command may have more repositories mounted, from inside. */
  readonly inside: boolean;
  /** Patterns: repositories whose name matches one appear below /cvmfs when somebody goes there. */
  readonly auto?: readonly string[];
  /** No network: what the cache has is all there is. */
  readonly offline?: boolean;
  /** File system image that is mounted as scratch space at /e2fs. */
  readonly scratch?: string;
  /** File to which is written what the job uses. */
  readonly record?: string;
  /** A directory, or the name of an image in a hub: the command's root. The rest about it is the launcher's business. */
  readonly image?: string;
  /** Trees that the job sees with changes of its own; made by src/launcher/overlay/views.sh. Their repositories are among those above. */
  readonly overlays?: readonly Overlay[];
}

type ValuedOption =
  | ('parameter' | 'config' | 'record' | 'scratch')
  | ('image' | 'bind' | 'env' | 'pwd')
  | ('overlay' | 'engine' | 'program' | 'status');

/** Options that take a value, in their short and long spelling. */
const VALUED: ReadonlyMap<string, ValuedOption> = new Map([
  ['-o', 'parameter'],
  ['--config', 'config'],
  ['--record', 'record'],
  ['-m', 'scratch'],
  ['--image', 'image'],
  ['--bind', 'bind'],
  ['--env', 'env'],
  ['--pwd', 'pwd'],
  ['--overlay', 'overlay'],
  ['--overlay-engine', 'engine'],
  ['--fuse-overlayfs', 'program'],
  ['--status-fd', 'status'],
]);

/** Options that mean something only with an image. */
const IMAGE_ONLY = new Set(['--bind', '--env', '--pwd', '--contain', '--no-home', '--cleanenv']);

/** Throws UsageError for what cannot be understood, also when no repository is named and one is required. */
export function parseLaunchWords(
  words: readonly string[],
  required: 'required' | 'optional' = 'required',
): LaunchWords {
  const repositories: string[] = [];
  const parameters: string[] = [];
  let configDirectory: string | undefined;
  let debug = false;
  let inside = true;
  const auto: string[] = [];
  let offline = false;
  let record: string | undefined;
  let image: string | undefined;
  let imageOnly: string | undefined;
  let scratch: string | undefined;
  const overlays: Overlay[] = [];
  const addRepository = (name: string) => {
    if (!repositories.includes(name)) repositories.push(checkedName(name));
  };
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const { name, attached } = splitOption(word);
    const kind = VALUED.get(name);
    if (IMAGE_ONLY.has(name)) imageOnly ??= name;
    if (kind) {
      const value = attached ?? queue.shift();
      if (value === undefined) throw new UsageError(`option ${name} needs a value; ${HINT}`);
      if (kind === 'parameter') parameters.push(checkedParameter(value));
      else if (kind === 'config') configDirectory = value;
      else if (kind === 'record') record = value;
      else if (kind === 'image') image = checkedImage(value, repositories);
      else if (kind === 'bind' || kind === 'env' || kind === 'pwd') checkImageOption(kind, value);
      else if (kind === 'overlay') {
        const overlay = parseOverlay(value);
        overlays.push(overlay);
        addRepository(overlay.repository);
      } else if (kind === 'engine') checkEngine(value);
      else if (kind === 'scratch') scratch = value;
      // `program`, of --fuse-overlayfs, and `status` are the shell's business alone.
    } else if (name === '--auto') auto.push(checkedPattern(attached ?? (isPattern(queue[0]) ? queue.shift()! : '*')));
    else if (word === '--debug' || word === '-d') debug = true;
    else if (word === '--offline') offline = true;
    else if (word === '--map-subids') continue;
    else if (word === '--host-pids') continue;
    else if (IMAGE_ONLY.has(word)) continue;
    else if (word === '-N') inside = false;
    // A launch inside a job is another job also where there would be nothing to do: nested.sh has seen it.
    else if (word === '--own') continue;
    else if (word.startsWith('-')) throw new UsageError(`unknown option ${word}; ${HINT}`);
    else addRepository(word);
  }
  if (image === undefined && imageOnly) throw new UsageError(`${imageOnly} is of use only with --image; ${HINT}`);
  if (repositories.length === 0 && image !== undefined) repositories.push(...usualHubs(image));
  const something = repositories.length > 0 || auto.length > 0 || image !== undefined || scratch !== undefined;
  if (!something && required === 'required') {
    throw new UsageError(`no repository named; ${HINT}`);
  }
  return {
    repositories,
    parameters,
    configDirectory,
    debug,
    inside,
    offline,
    record,
    scratch,
    image,
    overlays,
    ...(auto.length > 0 ? { auto } : {}),
  };
}

/** Adds the repository that an image below /cvmfs is in, as the launcher does (src/launcher/words.sh). */
function checkedImage(image: string, repositories: string[]): string {
  if (image === '') throw new UsageError(`--image needs a directory or the name of an image; ${HINT}`);
  const name = /^\/cvmfs\/([^/]+)/.exec(image)?.[1];
  if (name !== undefined && !repositories.includes(name)) repositories.push(checkedName(name));
  return image;
}

/** Where an image is looked up that is only named, when no repository is. */
function usualHubs(image: string): string[] {
  if (/^(?:\/|\.{1,2}(?:\/|$))/.test(image)) return [];
  const { CVMFSEXEC_IMAGE_HUBS: hubs = 'unpacked.cern.ch' } = process.env;
  return [...new Set(hubs.split(/\s+/).filter(Boolean).map(checkedName))];
}

function checkImageOption(kind: 'bind' | 'env' | 'pwd', value: string): void {
  if (kind === 'env' && !/^[A-Za-z_][A-Za-z0-9_]*=/.test(value)) {
    throw new UsageError(`--env ${value}: expected NAME=VALUE; ${HINT}`);
  }
  if (kind === 'pwd' && !value.startsWith('/'))
    throw new UsageError(`--pwd ${value}: expected an absolute path; ${HINT}`);
  if (kind === 'bind' && !/^[^:]+(?::\/[^:]*)?(?::(?:ro|rw))?$/.test(value)) {
    throw new UsageError(`--bind ${value}: expected SOURCE[:/PLACE/INSIDE[:ro]]; ${HINT}`);
  }
}

/** Parameters that are paths, which people give relative to where they are. */
const PATHS = new Set(
  [
    ...['CACHE_BASE', 'CACHE_DIR', 'ALIEN_CACHE', 'WORKSPACE', 'KEYS_DIR', 'BLACKLIST', 'UID_MAP', 'GID_MAP'],
    ...['DEBUGLOG', 'USYSLOG', 'TALK_SOCKET'],
  ].map((name) => `CVMFS_${name}`),
);
/** A list of paths, with colons between them. */
const PATH_LIST = 'CVMFS_PUBLIC_KEY';

/** Makes relative paths absolute: the server's own directory is another one. */
export function resolvePaths(words: LaunchWords, directory: string): LaunchWords {
  const { configDirectory, configFiles, record } = words;
  return {
    ...words,
    configDirectory: configDirectory && resolve(directory, configDirectory),
    ...(configFiles ? { configFiles: configFiles.map((file) => resolve(directory, file)) } : {}),
    record: record && resolve(directory, record),
    parameters: words.parameters.map((parameter) => {
      const equals = parameter.indexOf('=');
      const [name, value] = [parameter.slice(0, equals), parameter.slice(equals + 1)];
      const absolute = (path: string): string => path && resolve(directory, path);
      if (PATHS.has(name)) return `${name}=${absolute(value)}`;
      return name === PATH_LIST ? `${name}=${value.split(':').map(absolute).join(':')}` : parameter;
    }),
  };
}

/** `-oKEY=VALUE` and `--config=DIR` carry their value themselves. */
function splitOption(word: string): { name: string; attached: string | undefined } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    return equals < 0
      ? { name: word, attached: undefined }
      : { name: word.slice(0, equals), attached: word.slice(equals + 1) };
  }
  if (word.startsWith('-') && word.length > 2) return { name: word.slice(0, 2), attached: word.slice(2) };
  return { name: word, attached: undefined };
}

/** The value of `--auto` is optional. A word that could not be a repository's name can only be meant as that. */
function isPattern(word: string | undefined): boolean {
  return word !== undefined && /[*?]/.test(word) && !word.startsWith('-');
}

function checkedPattern(pattern: string): string {
  if (namePattern(pattern)) return pattern;
  throw new UsageError(`--auto=${pattern}: expected a pattern of repository names such as '*.cern.ch'; ${HINT}`);
}

function checkedParameter(text: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(text)) return text;
  throw new UsageError(`-o ${text}: expected KEY=VALUE; ${HINT}`);
}

function checkedName(name: string): string {
  if (isRepositoryName(name)) return name;
  const hint = name.includes('/') ? COMMAND_HINT : HINT;
  throw new UsageError(`'${name}' is not a repository name: letters, digits, '.', '-' and '_', at most 60; ${hint}`);
}
