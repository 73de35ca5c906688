// What may stand behind `-o` of cvmfs2: the reference's own options and those of mounting (client.md §9.1), and parameters.
import { UsageError } from '../launch-words.ts';

/** What the options of one command line come to. */
export interface MountOptionWords {
  foreground: boolean;
  debug: boolean;
  /** Print the parameters, mount nothing. */
  parse: boolean;
  /** These files, in this order, instead of those in /etc/cvmfs. */
  configFiles?: string[];
  /** KEY=VALUE, in order; the last wins. */
  parameters: string[];
  /** Whose rights the process works with once it has opened the device. */
  uid?: number;
  gid?: number;
  /** Give the mount point to `uid` and `gid` first. */
  grabMountPoint: boolean;
  allowOther: boolean;
  /** What /proc/mounts shows as the source. */
  source: string;
  /** Words of mount(8) that take rights away. */
  restrictions: string[];
}

export function noOptions(): MountOptionWords {
  return {
    foreground: false,
    debug: false,
    parse: false,
    parameters: [],
    grabMountPoint: false,
    allowOther: false,
    source: 'cvmfs2',
    restrictions: [],
  };
}

const HINT = "see 'cvmfs2 --help'";
const PARAMETER = /^[A-Z_][A-Z0-9_]*=/;

type Apply = (words: MountOptionWords, value: string) => void;

const nothing: Apply = () => {};

const refuse =
  (name: string, reason: string): Apply =>
  () => {
    throw new UsageError(`-o ${name}: ${reason}`);
  };

function id(name: string, value: string): number {
  if (/^\d{1,10}$/.test(value)) return Number(value);
  throw new UsageError(`-o ${name}=${value}: expected the number of a ${name === 'uid' ? 'user' : 'group'}`);
}

const FLAGS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['foreground', (words) => (words.foreground = true)],
  ['debug', (words) => (words.debug = true)],
  ['fuse_debug', (words) => (words.debug = true)],
  ['parse', (words) => (words.parse = true)],
  ['grab_mountpoint', (words) => (words.grabMountPoint = true)],
  ['allow_other', (words) => (words.allowOther = true)],
  // Programs that give more rights than the mount has would be a hole; a mount with fewer is not what was asked for.
  ['allow_root', refuse('allow_root', 'not supported: take allow_other')],
  ['cvmfs_suid', refuse('cvmfs_suid', 'setuid programs are never honoured')],
  ['suid', refuse('suid', 'setuid programs are never honoured')],
  ['dev', refuse('dev', 'device files are never honoured')],
  ['noexec', (words) => words.restrictions.push('noexec')],
  ['noatime', (words) => words.restrictions.push('noatime')],
  ['nodiratime', (words) => words.restrictions.push('nodiratime')],
  // One process serves, reads its files as shell does, and has no crash handler; and every mount is read-only.
  ...[
    ['system_mount', 'disable_watchdog', 'simple_options_parsing', 'nonempty', 'default_permissions'],
    ['ro', 'rw', 'nodev', 'nosuid', 'exec', 'atime', 'async', 'sync', 'relatime'],
    ['_netdev', 'user', 'nouser', 'users', 'auto', 'noauto', 'nofail'],
  ].flatMap((names) => names.map((name): [string, Apply] => [name, nothing])),
]);

const VALUED: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['config', (words, value) => (words.configFiles = value.split(':').filter(Boolean))],
  ['uid', (words, value) => (words.uid = id('uid', value))],
  ['gid', (words, value) => (words.gid = id('gid', value))],
  ['fsname', (words, value) => (words.source = value)],
  ['libfuse', nothing],
  ['subtype', nothing],
  ['max_read', nothing],
]);

/** @throws UsageError for a word that is no option */
export function applyOptions(words: MountOptionWords, text: string): void {
  for (const option of splitOptions(text)) {
    if (PARAMETER.test(option)) {
      words.parameters.push(option);
      continue;
    }
    const { name, value } = nameAndValue(option);
    const apply = value === undefined ? FLAGS.get(name) : VALUED.get(name);
    if (!apply) throw new UsageError(`unknown option -o ${option}; ${HINT}`);
    apply(words, value ?? '');
  }
}

/** At a comma only where an option begins behind it: values have commas too, and nobody escapes them. `\,` never splits. */
export function splitOptions(text: string): string[] {
  const options: string[] = [];
  let joins = false;
  for (const piece of text.split(',')) {
    const last = options.length - 1;
    if (piece === '' && !options[last]?.includes('=')) continue;
    if (joins) options[last] = `${options[last].slice(0, -1)},${piece}`;
    else if (last >= 0 && !beginsOption(piece)) options[last] += `,${piece}`;
    else options.push(piece);
    joins = piece.endsWith('\\');
  }
  return options;
}

function beginsOption(text: string): boolean {
  const { name, value } = nameAndValue(text);
  return PARAMETER.test(text) || (value === undefined ? FLAGS.has(name) : VALUED.has(name));
}

function nameAndValue(option: string): { name: string; value: string | undefined } {
  const equals = option.indexOf('=');
  return equals < 0
    ? { name: option, value: undefined }
    : { name: option.slice(0, equals), value: option.slice(equals + 1) };
}
