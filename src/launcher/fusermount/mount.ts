// Mounting with the setuid helper of libfuse, fusermount3 or fusermount: for users without usable user namespaces.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { LauncherError } from '../error.ts';
import { findProgram } from '../find-program.ts';
import { PERL_RECEIVER, PYTHON_RECEIVER } from './descriptor-receivers.ts';

const LIMIT_MS = 20_000;
/** RHEL 8 always has this one. */
const PLATFORM_PYTHON = '/usr/libexec/platform-python';

export interface FusermountOptions {
  /** Absolute, without links. */
  readonly directory: string;
  /** What /proc/mounts shows. */
  readonly source: string;
  readonly allowOther: boolean;
  /** Further words of mount(8). */
  readonly restrictions: readonly string[];
}

/** @throws LauncherError NO_FUSERMOUNT */
export function fusermount(): string {
  const program = findProgram('fusermount3', 'fusermount');
  if (program) return program;
  throw new LauncherError(
    'NO_FUSERMOUNT',
    "only root may mount, and there is no fusermount3 or fusermount that does it for users: install fuse3, or use 'cvmfsexec'",
  );
}

/** The argument of fusermount's `-o`. The owner and the kind of the root are its own business. */
export function fusermountOptions({ source, allowOther, restrictions }: FusermountOptions): string {
  const words = ['ro', 'nosuid', 'nodev', 'default_permissions', ...restrictions];
  if (allowOther) words.push('allow_other');
  return [...words, `fsname=${source.replace(/[\\,]/g, '\\$&')}`].join(',');
}

/**
 * Words that mount and then become the program whose words follow; it finds `NUMBER:DIRECTORY` in the environment variable.
 * undefined: this machine has no program that could receive the descriptor.
 */
export function receiverWords(options: FusermountOptions, variable: string): string[] | undefined {
  const words = [fusermount(), fusermountOptions(options), options.directory, variable];
  const python = findProgram('python3') ?? (existsSync(PLATFORM_PYTHON) ? PLATFORM_PYTHON : undefined);
  if (python) return [python, '-I', '-S', '-c', PYTHON_RECEIVER, ...words];
  const perl = findProgram('perl');
  // The caller's settings for perl are for the caller's programs.
  for (const name of ['PERL5OPT', 'PERL5LIB', 'PERL5DB']) delete process.env[name];
  return perl === undefined ? undefined : [perl, '-e', PERL_RECEIVER, '--', ...words];
}

/** Rejects with what the program said. `lazy`: also while it is in use. */
export function fusermountUnmount(directory: string, lazy: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(fusermount(), [lazy ? '-uz' : '-u', '--', directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stderr.on('data', (data: Buffer) => {
      said += data.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(said.trim().replace(/\s*\n\s*/g, '; ') || `fusermount ended with ${signal ?? code}`));
    });
  });
}
