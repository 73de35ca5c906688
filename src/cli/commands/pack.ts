// `cvmfsexec pack DIR -o FILE`: what the jobs with `--overlay …:DIR` have changed, as a tar archive to publish.
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { Command } from 'commander';
import { type PackOptions, pack } from '../../overlay/pack.ts';
import { Upper } from '../../overlay/upper.ts';
import { quoted } from '../printed-path.ts';
import { runOverlayCommand } from './overlay-command.ts';

interface Flags {
  readonly output: string;
  readonly owner?: string;
}

const NOTES = `
Deletions are written as in the layers of container images (.wh.NAME, .wh..wh..opq). The same changes always give the same
archive. "cvmfs-publish ingest" publishes it.
`;

export function main(args: string[]): Promise<number> {
  return runOverlayCommand(
    (program) =>
      program
        .name('cvmfsexec pack')
        .description('Make a tar archive of what jobs have changed through --overlay REPO:DIR.')
        .argument('<DIR>', 'the directory that was given to --overlay')
        .requiredOption('-o, --output <FILE>', "the archive; '-' is standard output")
        .option('--owner <UID:GID>', "of everything in it; default 0:0; 'keep': as the files are")
        .addHelpText(
          'before',
          'Examples:\n  cvmfsexec pack changes -o changes.tar\n  cvmfsexec pack changes -o - | zstd >changes.tar.zst\n',
        )
        .addHelpText('after', NOTES)
        .action(run),
    new Command(),
    args,
  );
}

async function run(directory: string, flags: Flags): Promise<void> {
  const options = { owner: parseOwner(flags.owner) };
  const upper = await Upper.open(directory);
  const { left } = flags.output === '-' ? pack(upper, 1, options) : packToFile(upper, flags.output, options);
  for (const path of left) process.stderr.write(`cvmfsexec pack: ${quoted(path)} is a socket, and left out\n`);
}

/** Under another name until it is complete. */
function packToFile(upper: Upper, file: string, options: PackOptions) {
  const unfinished = `${file}.${process.pid}`;
  const fd = openSync(unfinished, 'wx', 0o666);
  try {
    const packed = pack(upper, fd, options);
    closeSync(fd);
    renameSync(unfinished, file);
    return packed;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function parseOwner(text: string | undefined): PackOptions['owner'] {
  if (text === undefined || text === 'keep') return text;
  const match = /^(\d+):(\d+)$/.exec(text);
  if (!match) throw new Error(`--owner ${text}: expected UID:GID in numbers, or keep`);
  return { uid: Number(match[1]), gid: Number(match[2]) };
}
