// What goes into the single file: paths within, and for each a file or bytes.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SingleFileError } from './error.ts';
import type { LoadedProgram } from './loaded-program.ts';

export interface Entry {
  readonly content: Buffer;
  readonly executable: boolean;
}

export type Contents = Map<string, Entry>;

/** Directory of the configuration that stands in the place of /etc/cvmfs (see src/config/files.ts). */
const CONFIGURATION = 'etc/cvmfs';
/** What a name may consist of, as the head has them unquoted. */
const NAME = /^[A-Za-z0-9._+:@=-]+$/;

/** What Node calls them. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'x64', aarch64: 'arm64' };

/** The programs, the launcher and the bundles of the package in `directory`; of code caches, those for `machine`. */
export function addPackage(contents: Contents, directory: string, machine: string): void {
  for (const part of ['bin', 'dist', 'src/launcher']) addTree(contents, part, join(directory, part));
  for (const path of contents.keys()) {
    const [, architecture] = /\.(\w+)\.cache$/.exec(path) ?? [];
    if (path.endsWith('.ts') || (architecture && architecture !== ARCHITECTURES[machine])) contents.delete(path);
  }
}

/** Node where find-node.sh looks for it. */
export function addNode(contents: Contents, node: LoadedProgram): void {
  addProgram(contents, 'node/bin/node', 'node/lib', node);
}

export function addConfiguration(contents: Contents, directory: string): void {
  addTree(contents, CONFIGURATION, directory);
}

export function addConfigurationFile(contents: Contents, path: string, text: string): void {
  const at = `${CONFIGURATION}/${path}`;
  if (!contents.has(at)) contents.set(at, { content: Buffer.from(text), executable: false });
}

/** A program that the launcher finds when the machine has none (cx_find): a script that runs it by its own loader. */
export function addTool(contents: Contents, name: string, tool: LoadedProgram): void {
  addProgram(contents, `libexec/${name}.bin`, `libexec/lib`, tool);
  const run = `exec "$d/lib/${tool.loader}" --library-path "$d/lib" "$d/${name}.bin" "$@"`;
  const script = `#!/bin/sh\nd=\${0%/*}\nunset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT\n${run}\n`;
  contents.set(`libexec/${name}`, { content: Buffer.from(script), executable: true });
}

function addProgram(contents: Contents, path: string, libraries: string, program: LoadedProgram): void {
  contents.set(path, { content: program.content, executable: true });
  for (const [name, file] of program.libraries) addFile(contents, `${libraries}/${name}`, file, true);
}

/** Links are followed. */
function addTree(contents: Contents, path: string, directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory).sort();
  } catch (cause) {
    throw new SingleFileError(
      'BAD_INPUT',
      `cannot read ${directory} (${(cause as NodeJS.ErrnoException).code})`,
      cause,
    );
  }
  for (const name of names) {
    const file = join(directory, name);
    if (!NAME.test(name))
      throw new SingleFileError('BAD_INPUT', `${file}: such a file name is not possible: rename it`);
    const status = statSync(file, { throwIfNoEntry: false });
    if (status?.isDirectory()) addTree(contents, `${path}/${name}`, file);
    else if (status?.isFile()) addFile(contents, `${path}/${name}`, file, (status.mode & 0o111) !== 0);
  }
}

function addFile(contents: Contents, path: string, file: string, executable: boolean): void {
  try {
    contents.set(path, { content: readFileSync(file), executable });
  } catch (cause) {
    throw new SingleFileError('BAD_INPUT', `cannot read ${file} (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}
