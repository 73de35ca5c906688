// `cvmfsexec diff DIR`: what the jobs with `--overlay …:DIR` have changed.
import { Command } from 'commander';
import { type Change, Upper } from '../../overlay/upper.ts';
import { isUtf8, quoted } from '../printed-path.ts';
import { runOverlayCommand } from './overlay-command.ts';

const LETTERS = { added: 'A', modified: 'M', deleted: 'D' } as const;

const NOTES = `
A  added, or new in the place of something else      D  deleted
M  changed in content or attributes                  AO a directory that hides all that was in its place

Directories that only hold changes are left out. A name with bytes that are not plain text is in double quotes, with
backslashes as in C; --json gives a line for each change, with such a name in base64.
`;

export function main(args: string[]): Promise<number> {
  return runOverlayCommand(
    (program) =>
      program
        .name('cvmfsexec diff')
        .description('List what jobs have changed through --overlay REPO:DIR.')
        .argument('<DIR>', 'the directory that was given to --overlay')
        .option('--json', 'one JSON object a line')
        .addHelpText('before', 'Examples:\n  cvmfsexec diff changes\n  cvmfsexec diff --json changes | jq -r .path\n')
        .addHelpText('after', NOTES)
        .action(async (directory: string, { json }: { json?: boolean }) => {
          const upper = await Upper.open(directory);
          let text = '';
          for (const change of upper.changes()) {
            if (change.kind === 'passed') continue;
            text += `${json ? JSON.stringify(described(change)) : line(change)}\n`;
            if (text.length > 1 << 16) {
              process.stdout.write(text);
              text = '';
            }
          }
          process.stdout.write(text);
        }),
    new Command(),
    args,
  );
}

function line({ kind, opaque, path, stats }: Change): string {
  const letters = `${kind === 'passed' ? '' : LETTERS[kind]}${opaque ? 'O' : ''}`;
  return `${letters.padEnd(2)} ${quoted(path)}${stats?.isDirectory() ? '/' : ''}`;
}

function described({ kind, opaque, path, stats }: Change): Record<string, unknown> {
  const bytes = Buffer.from(path, 'latin1');
  return {
    change: kind,
    ...(isUtf8(path) ? { path: bytes.toString('utf8') } : { pathBase64: bytes.toString('base64') }),
    ...(stats ? { type: typeOf(stats), mode: Number(stats.mode) & 0o7777, size: Number(stats.size) } : {}),
    ...(opaque ? { opaque } : {}),
  };
}

function typeOf(stats: NonNullable<Change['stats']>): string {
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  return stats.isFile() ? 'file' : 'special';
}
