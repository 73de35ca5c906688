// Completion in real shells: what is typed, with a tab, is run by stand-ins that print their words.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { SUBCOMMANDS } from '../../src/cli/commands/subcommands.ts';

const root = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'completion-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));
for (const name of ['cvmfsexec', 'mountrepo', 'cvmfs-publish']) {
  const real = `[ "$1" != completion ] || exec ${root}/bin/${name} "$@"`;
  writeFileSync(join(directory, name), `#!/bin/sh\n${real}\necho "GOT $*."\n`, { mode: 0o755 });
}
const env = {
  ...{ PATH: `${directory}:${process.env.PATH}`, HOME: directory, TERM: 'dumb', LC_ALL: 'C.UTF-8', PS1: 'ready> ' },
  CVMFS_REPOSITORIES: 'mine.example.org',
};

/** What is typed before the tab, and the words that come of it. */
const LINES: readonly (readonly [string, string])[] = [
  ['cvmfsexec prel', 'preload'],
  ['cvmfsexec mine', 'mine.example.org'],
  ['cvmfsexec a.org lhcb.', 'a.org lhcb.cern.ch'],
  ['cvmfsexec --off', '--offline'],
  ['cvmfsexec --aut', '--auto'],
  ['cvmfsexec --overlay-engine fuse --cleane', '--overlay-engine fuse --cleanenv'],
  ['cvmfsexec config --set', 'config --set-only'],
  ['cvmfsexec config mine', 'config mine.example.org'],
  ['cvmfsexec -o CVMFS_SERVER_U', '-o CVMFS_SERVER_URL='],
  ['cvmfsexec --config /etc/apt/sources.list', '--config /etc/apt/sources.list.d'],
  ['cvmfsexec preload --readable-by gr', 'preload --readable-by group'],
  ['cvmfsexec a.org -- cat /etc/hostn', 'a.org -- cat /etc/hostname'],
  ['mountrepo --und', '--under'],
  ['mountrepo mine', 'mine.example.org'],
  ['cvmfs-publish pub', 'publish'],
  ['cvmfs-publish publish --desc', 'publish --description'],
];

/** Without what moves the cursor and chooses colours. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences
  return text.replace(/\x1b(?:\[[0-9;?]*[a-zA-Z]|[=>])/g, '');
}

/** Types into an interactive shell on a terminal; resolves to what stands on it in the end. */
function type(shell: readonly string[], setUp: string, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const script = spawn('script', ['-qec', shell.join(' '), '/dev/null'], { env, timeout: 60_000 });
    let screen = '';
    const queue = [`${setUp}\n`, ...lines.map((line) => `${line}\t\n`), 'exit\n'];
    let prompts = 0;
    script.stdout.on('data', (data: Buffer) => {
      screen = plain(screen + data.toString());
      // The next line when the shell waits for it.
      const seen = screen.split('ready> ').length - 1;
      if (seen > prompts && screen.endsWith('ready> ')) {
        prompts = seen;
        script.stdin.write(queue.shift() ?? '');
      }
    });
    script.on('error', reject);
    script.on('close', () => resolve(screen));
  });
}

const SHELLS: Readonly<Record<string, { shell: readonly string[]; setUp: string }>> = {
  'bash with bash-completion': {
    shell: ['bash', '--norc', '--noprofile', '-i'],
    setUp: '. /usr/share/bash-completion/bash_completion; . <(cvmfsexec completion bash)',
  },
  'bash alone': { shell: ['bash', '--norc', '--noprofile', '-i'], setUp: '. <(cvmfsexec completion bash)' },
  zsh: {
    shell: ['zsh', '-f', '-i', '+o', 'PROMPT_SP'],
    setUp: 'PROMPT="ready> "; autoload -U compinit; compinit -u -D; source <(cvmfsexec completion zsh)',
  },
};

for (const [name, { shell, setUp }] of Object.entries(SHELLS)) {
  test.serial(`${name} completes options, values, subcommands, repositories and commands`, async (t) => {
    const screen = await type(
      shell,
      setUp,
      LINES.map(([typed]) => typed),
    );
    const got = [...screen.matchAll(/^GOT (.*?)[/ ]?\.\r?$/gm)].map(([, words]) => words?.trim());
    t.deepEqual(
      got,
      LINES.map(([, words]) => words),
      screen,
    );
  });
}

test('fish completes options, values, subcommands, repositories and commands', (t) => {
  const all = LINES.map(([typed]) => `complete -C ${JSON.stringify(typed)}; echo ===`).join('\n');
  const code = `source (cvmfsexec completion fish | psub)\n${all}`;
  const found = execFileSync('fish', ['--no-config', '-c', code], { env, encoding: 'utf8' }).split('===\n');
  LINES.forEach(([typed, words], i) => {
    const last = words.split(' ').at(-1);
    t.true(
      found[i]?.split('\n').some((line) => line.split('\t')[0]?.replace(/\/$/, '') === last),
      `${typed}: ${last} in ${found[i]}`,
    );
  });
});

test('behind -- there are no options of ours', (t) => {
  const code = `source (cvmfsexec completion fish | psub); complete -C 'cvmfsexec a.org -- true --off'`;
  const found = execFileSync('fish', ['--no-config', '-c', code], { env, encoding: 'utf8' });
  t.false(found.includes('--offline'));
});

test('every subcommand is one for the shell, and in each completion', (t) => {
  const program = execFileSync('cat', [join(root, 'bin/cvmfsexec')], { encoding: 'utf8' });
  for (const name of Object.keys(SUBCOMMANDS)) {
    t.regex(program, new RegExp(`\\| ${name}\\b`), name);
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = execFileSync(join(root, 'bin/cvmfsexec'), ['completion', shell], { encoding: 'utf8' });
      t.regex(script, new RegExp(`\\b${name}\\b`), `${shell}: ${name}`);
    }
  }
});
