// Configuration files that are more shell than is understood here are run by /bin/sh, as the reference does (client.md
// §8.2): in the file's directory, with all earlier parameters exported, each file in a shell of its own. Values come back
// as they are, NUL between them. A shell gets little time and says little, and what it leaves behind is ended.
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';

export interface ShellFile {
  readonly text: string;
  /** Of the file. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What to ask for, beside everything that is called CVMFS_*. */
  readonly names: readonly string[];
}

export type ShellOutcome = { readonly values: ReadonlyMap<string, string> } | { readonly failure: string };

const TIMEOUT_MS = 5000;
const MAX_OUTPUT = 1 << 18;
const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/** What these mean to sh itself is not for a configuration file. */
const OF_SHELLS = /^(ENV|BASH_.*|SHELLOPTS|BASHOPTS|CDPATH|GLOBIGNORE|IFS|PS4|PATH|PWD|OLDPWD|LD_.*)$/;

/** `$1` is the file's text. A function, so that `return` ends the file; `source` is not known to every sh. */
const SCRIPT = `
exec 3>&1 >/dev/null
cx_text=$1
shift
source() { . "$@"; }
cx_file() { eval "$cx_text"; }
cx_file 3>&-
unset IFS
for cx_name in $(set | while IFS= read -r cx_line; do
  case $cx_line in CVMFS_*=*) cx_line=\${cx_line%%=*}; case $cx_line in *[!A-Za-z0-9_]*) ;; *) echo "$cx_line" ;; esac ;; esac
done) NAMES; do
  eval "[ -z \\"\\\${$cx_name+x}\\" ] || printf '%s=%s\\\\000' $cx_name \\"\\\${$cx_name}\\"" >&3
done
printf 'end\\000' >&3
`;

export function evaluateByShell({ text, directory, environment, names }: ShellFile): ShellOutcome {
  const script = SCRIPT.replace('NAMES', names.join(' '));
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !OF_SHELLS.test(name)));
  const options: SpawnSyncOptions & { detached: boolean } = {
    cwd: directory,
    env: { ...env, PATH },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT,
    // A process group of its own, to be ended as a whole.
    detached: true,
  };
  const { pid, error, stdout } = spawnSync('/bin/sh', ['-c', script, 'sh', text], options);
  endGroup(pid);
  if (error) return { failure: reasonFor(error) };
  const parts = (stdout as Buffer).toString('utf8').split('\0');
  // The last one is what comes behind the last NUL: nothing.
  if (parts.pop() !== '' || parts.pop() !== 'end') return { failure: 'it does not run to its end' };
  return { values: new Map(parts.map((part) => cut(part))) };
}

function cut(part: string): [string, string] {
  const equals = part.indexOf('=');
  return [part.slice(0, equals), part.slice(equals + 1)];
}

function endGroup(pid: number): void {
  if (!pid) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody is left
  }
}

function reasonFor(error: NodeJS.ErrnoException): string {
  if (error.code === 'ETIMEDOUT') return `it takes more than ${TIMEOUT_MS / 1000} s`;
  if (error.code === 'ENOBUFS') return `it sets more than ${MAX_OUTPUT >> 10} KiB`;
  return error.code === 'E2BIG' ? 'it is too long' : `/bin/sh cannot be run (${error.code})`;
}
