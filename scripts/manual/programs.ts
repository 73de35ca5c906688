// All programs and subcommands with their help: asked of the programs themselves.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SUBCOMMANDS } from '../../src/cli/commands/subcommands.ts';
import { type HelpText, parseHelp } from './help-text.ts';

export interface Program {
  /** `cvmfsexec config` is ['cvmfsexec', 'config']. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly help: HelpText;
}

/** Those that are no subcommands, with what a man page says first. */
const SUMMARIES: Readonly<Record<string, string>> = {
  cvmfsexec: 'run a command with CernVM-FS repositories mounted under /cvmfs',
  cvmfs2: 'serve a CernVM-FS repository at a directory or on a descriptor',
  singcvmfs: 'run apptainer or singularity with CernVM-FS repositories mounted',
  mountrepo: 'mount CernVM-FS repositories for yourself, without namespaces',
  umountrepo: 'unmount what mountrepo has mounted',
  'cvmfs-publish': 'make CernVM-FS repositories and publish directory trees into them',
  cvmfs_talk: 'ask and steer a mounted CernVM-FS repository',
  cvmfs_config: 'look at the configuration of CernVM-FS and at what is mounted',
  cvmfs_fsck: 'check a CernVM-FS cache directory',
};

const run = promisify(execFile);

/** `start`: dist/start.cjs; `root`: of the package. */
export async function allPrograms(start: string, root: string): Promise<Program[]> {
  const ask = async (path: readonly string[], summary: string): Promise<Program> => {
    const [file, args] =
      path[0] === 'singcvmfs' ? [join(root, 'bin/singcvmfs'), []] : [process.execPath, [start, ...path]];
    const { stdout } = await run(file, [...args, '--help'], { env: { ...process.env, NO_COLOR: '1' } });
    return { path, summary, help: parseHelp(stdout) };
  };
  const programs = await Promise.all(Object.entries(SUMMARIES).map(([name, summary]) => ask([name], summary)));
  const publishing = programs.find(({ path }) => path[0] === 'cvmfs-publish')?.help.commands ?? [];
  const below = [
    ...Object.entries(SUBCOMMANDS).map(([name, { summary }]) => ask(['cvmfsexec', name], summary)),
    ...publishing
      .map(({ words, text }) => ({ name: words.split(' ')[0] ?? '', text }))
      .filter(({ name }) => name !== 'help')
      .map(({ name, text }) => ask(['cvmfs-publish', name], text)),
  ];
  return [...programs, ...(await Promise.all(below))];
}
