// Makes the single file: head, then archive. See docs/one-file.md.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archive } from './archive.ts';
import { configurationOf, type Kind } from './configurations.ts';
import { addConfiguration, addConfigurationFile, addNode, addPackage, addTool, type Contents } from './contents.ts';
import { SingleFileError } from './error.ts';
import { head } from './head.ts';
import type { LoadedProgram } from './loaded-program.ts';

export interface SingleFileOptions {
  /** Of this package. */
  readonly packageDirectory: string;
  /** Written by a rename. */
  readonly output: string;
  readonly node: LoadedProgram;
  /** Its files stand in the place of /etc/cvmfs. */
  readonly configuration?: string;
  readonly kind?: Kind;
  readonly defaultProgram: string;
  /** By name: programs that the launcher uses and the machine may lack. */
  readonly tools: ReadonlyMap<string, LoadedProgram>;
}

/** Resolves to its size in bytes. @throws SingleFileError */
export async function makeSingleFile(options: SingleFileOptions): Promise<number> {
  const { packageDirectory, output, node, configuration, kind, tools, defaultProgram } = options;
  const contents: Contents = new Map();
  addPackage(contents, packageDirectory, node.machine);
  addNode(contents, node);
  for (const [name, tool] of tools) {
    if (tool.machine !== node.machine)
      throw new SingleFileError('BAD_INPUT', `${name} is for ${tool.machine}, Node for ${node.machine}`);
    addTool(contents, name, tool);
  }
  if (configuration !== undefined) addConfiguration(contents, configuration);
  if (kind && kind !== 'none')
    for (const [path, text] of configurationOf(kind)) addConfigurationFile(contents, path, text);
  const template = readFileSync(join(packageDirectory, 'src/launcher/single-file.sh'), 'utf8');
  const packed = await archive(contents);
  const file = Buffer.concat([head({ template, contents, node, defaultProgram, archive: packed }), packed]);
  write(output, file);
  return file.length;
}

function write(output: string, file: Buffer): void {
  const unfinished = `${output}.${process.pid}`;
  try {
    writeFileSync(unfinished, file, { mode: 0o755, flag: 'wx' });
    renameSync(unfinished, output);
  } catch (cause) {
    rmSync(unfinished, { force: true });
    throw new SingleFileError('WRITE', `cannot write ${output}: ${(cause as Error).message}`, cause);
  }
}
