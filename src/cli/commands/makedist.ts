// `cvmfsexec makedist`: one file to carry. The words are those of makedist of cvmfsexec, as far as they mean something here.
import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import { Argument, Command } from 'commander';
import { KINDS, type Kind } from '../../single-file/configurations.ts';
import { type LoadedProgram, loadedProgram, nodeIn, ownNode } from '../../single-file/loaded-program.ts';
import { makeSingleFile } from '../../single-file/make.ts';
import { makeSiteDirectory, readSiteDirectory } from '../../single-file/site-directory.ts';
import { packageDirectory } from '../package-directory.ts';
import { parseWords } from '../parse-words.ts';

const EXAMPLES = `Examples:
  cvmfsexec makedist -o cvmfsexec.run
  cvmfsexec makedist -o cvmfsexec.run --config /etc/cvmfs
  cvmfsexec makedist osg && vi dist/etc/cvmfs/default.local && cvmfsexec makedist -o cvmfsexec.run

`;
const SITE = 'dist';

interface Flags {
  readonly o?: string;
  readonly s?: boolean;
  readonly m?: string;
  readonly v?: string;
  readonly config?: string;
  readonly node?: string;
  readonly withFuseOverlayfs?: boolean;
}

export async function main(args: string[]): Promise<number> {
  const command = new Command('cvmfsexec makedist')
    .description(
      'Write a single executable that holds the programs, Node and configuration, and needs nothing installed: FILE. It is ' +
        'the program that it is called as (by its name, or by FILE --as NAME). Without -o, write a directory dist with a ' +
        'configuration to be changed, which the next makedist -o puts into the file.',
    )
    .addHelpText('before', EXAMPLES)
    .addArgument(new Argument('[kind]', 'the configuration of a grid, taken from its repository').choices(KINDS))
    .option('-o <FILE>', 'the file to write')
    .option('-s', 'a file of any other name is singcvmfs, not cvmfsexec')
    .option('-m <MACHINE>', 'fail unless the file is for such a machine, such as rhel9-x86_64')
    .option('-v <VERSION>', 'accepted for compatibility: there is one version, this')
    .option(
      '--config <DIR>',
      'put the files in DIR into it, which then stand in the place of /etc/cvmfs; keys in DIR/keys',
    )
    .option('--with-fuse-overlayfs', "put this machine's fuse-overlayfs into it")
    .option('--with-node', 'put Node into it (it always is)')
    .option(
      '--node <DIR>',
      'take DIR/bin/node, and loader and libraries in DIR/lib, such as those for another processor',
    );
  if (!parseWords(command, args)) return 0;
  const flags = command.opts<Flags>();
  const kind = command.args[0] as Kind | undefined;
  const node = flags.node === undefined ? ownNode() : nodeIn(flags.node);
  checkMachine(flags.m, node);
  if (flags.v !== undefined) note(`-v ${flags.v}: there is one version, this`);
  if (flags.o !== undefined) await makeFile(flags.o, flags, kind, node);
  else if (kind) makeSite(kind, flags, node);
  else
    throw new Error("nothing to make: give -o FILE, or the kind of a configuration; see 'cvmfsexec makedist --help'");
  return 0;
}

async function makeFile(output: string, flags: Flags, kind: Kind | undefined, node: LoadedProgram): Promise<void> {
  const site = kind || flags.config !== undefined ? undefined : readSiteDirectory(SITE);
  const configuration = flags.config ?? site?.configuration;
  const size = await makeSingleFile({
    packageDirectory: packageDirectory(),
    output: resolve(output),
    node,
    ...(configuration === undefined ? {} : { configuration }),
    ...(kind ? { kind } : {}),
    defaultProgram: flags.s || site?.singularity ? 'singcvmfs' : 'cvmfsexec',
    tools: new Map(flags.withFuseOverlayfs ? [['fuse-overlayfs', overlayProgram()]] : []),
  });
  const from = configuration ?? (kind && kind !== 'none' ? kind : 'none: the file reads /etc/cvmfs where it is used');
  note(`${output}: ${(size / 1e6).toFixed(1)} MB, for Linux ${node.machine}; configuration ${from}`);
}

function makeSite(kind: Kind, flags: Flags, node: LoadedProgram): void {
  makeSiteDirectory(SITE, kind, flags.m ?? `linux-${node.machine}`, flags.s ?? false);
  note(`${SITE}/etc/cvmfs: the ${kind} configuration, for you to change; then cvmfsexec makedist -o FILE`);
}

/** There, a distribution and a processor; one file serves all distributions. */
function checkMachine(wanted: string | undefined, { machine }: LoadedProgram): void {
  if (wanted === undefined || wanted.replace(/^.*-/, '') === machine) return;
  throw new Error(
    `-m ${wanted}: this package has a Node for ${machine} only; take one for that machine, or give --node DIR`,
  );
}

function overlayProgram(): LoadedProgram {
  for (const directory of `${process.env.PATH ?? ''}:/usr/bin:/bin`.split(':').filter(Boolean)) {
    const program = join(directory, 'fuse-overlayfs');
    try {
      accessSync(program, constants.X_OK);
    } catch {
      continue;
    }
    return loadedProgram(program);
  }
  throw new Error('--with-fuse-overlayfs: there is no fuse-overlayfs on PATH: install it here');
}

function note(text: string): void {
  process.stderr.write(`cvmfsexec makedist: ${text}\n`);
}
