// `cvmfsexec completion`: what shells complete with. The scripts are made by the build (scripts/manual); they ask for the
// names of repositories when they need them.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { parseWords } from '../parse-words.ts';
import { repositoryNames } from '../repository-names.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const EXAMPLES = `Examples:
  source <(cvmfsexec completion bash)                  (in ~/.bashrc)
  source <(cvmfsexec completion zsh)                   (in ~/.zshrc, behind compinit)
  cvmfsexec completion fish >~/.config/fish/completions/cvmfsexec.fish
`;

export async function main(args: string[]): Promise<number> {
  const command = new Command('cvmfsexec completion')
    .description(
      'Print a completion of cvmfsexec, mountrepo, umountrepo and cvmfs-publish for a shell; or the names of the repositories that are known here, for the completions.',
    )
    .argument('<what>', `${SHELLS.join(', ')} or repositories`)
    .addHelpText('before', EXAMPLES);
  if (!parseWords(command, args)) return 0;
  const [what = ''] = command.args;
  if (what === 'repositories') process.stdout.write(`${repositoryNames(process.env).join('\n')}\n`);
  else if (SHELLS.some((shell) => shell === what)) {
    process.stdout.write(readFileSync(join(dirname(process.argv[1]), 'completion', what)));
  } else throw new Error(`there is no completion for '${what}': ${SHELLS.join(', ')}`);
  return 0;
}
