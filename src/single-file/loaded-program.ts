// A program together with the loader and the libraries that it runs by, so that it runs where there are others or none.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readElf, trimmed } from './elf.ts';
import { SingleFileError } from './error.ts';

const LIMIT_MS = 20_000;

export interface LoadedProgram {
  /** As `uname -m` says. */
  readonly machine: string;
  readonly content: Buffer;
  /** Name of the loader among the libraries. */
  readonly loader: string;
  /** Names and paths, the loader with them. */
  readonly libraries: ReadonlyMap<string, string>;
}

/**
 * @param libraries a directory with the loader and all libraries; default: those that it would run with on this machine
 * @throws SingleFileError BAD_INPUT
 */
export function loadedProgram(program: string, libraries?: string): LoadedProgram {
  const file = readProgram(program);
  const elf = readElf(file);
  if (!elf?.loader) throw new SingleFileError('BAD_INPUT', `${program} is no program for Linux that has a loader`);
  const paths = libraries === undefined ? needed(program, elf.loader) : filesIn(libraries);
  const loader = basename(elf.loader);
  if (!paths.has(loader)) throw new SingleFileError('BAD_INPUT', `no loader ${loader} in ${libraries}`);
  for (const path of paths.values()) {
    const { machine } = readElf(readProgram(path)) ?? {};
    if (machine !== elf.machine)
      throw new SingleFileError('BAD_INPUT', `${path} is not for ${elf.machine}, as ${program} is`);
  }
  return { machine: elf.machine, content: trimmed(file), loader, libraries: paths };
}

function readProgram(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new SingleFileError('BAD_INPUT', `cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

/** The loader itself tells; a line of it: `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f…)`. */
function needed(program: string, loader: string): Map<string, string> {
  let lines: string;
  try {
    lines = execFileSync(loader, ['--list', program], { encoding: 'utf8', stdio: 'pipe', timeout: LIMIT_MS });
  } catch (cause) {
    const reason = (cause as Error).message.trim().replace(/\s*\n\s*/g, '; ');
    throw new SingleFileError('BAD_INPUT', `cannot find out which libraries ${program} needs: ${reason}`, cause);
  }
  const paths = [...lines.matchAll(/=> (\/.*) \(0x/g)].map(([, path]) => path);
  return new Map([loader, ...paths].map((path) => [basename(path), path]));
}

function filesIn(directory: string): Map<string, string> {
  try {
    return new Map(readdirSync(directory).map((name) => [name, join(directory, name)]));
  } catch (cause) {
    throw new SingleFileError(
      'BAD_INPUT',
      `cannot read ${directory} (${(cause as NodeJS.ErrnoException).code})`,
      cause,
    );
  }
}

/** The Node in a directory with bin/node and, if it is not to run by this machine's, lib/ with its loader and libraries. */
export function nodeIn(directory: string): LoadedProgram {
  const program = join(directory, 'bin/node');
  const libraries = join(directory, 'lib');
  const hasLoader = [...namesIn(libraries)].some((name) => /^ld-linux-.*\.so\.\d$/.test(name));
  return loadedProgram(program, hasLoader ? libraries : undefined);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** The one that runs this program. Under a loader, the running program is that. */
export function ownNode(execPath = process.execPath): LoadedProgram {
  const directory = dirname(execPath);
  return basename(execPath).startsWith('ld-') ? nodeIn(dirname(directory)) : loadedProgram(execPath);
}
