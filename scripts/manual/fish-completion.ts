// Completion for fish.
import type { Completed, CompletedOption } from './completed.ts';

export function fishCompletion(completed: readonly Completed[], parameters: readonly string[]): string {
  const programs = [...new Set(completed.map(({ program }) => program))];
  const lines = completed.flatMap(({ program, command, options, commands, operands }) => {
    const condition = `-n '__cvmfsexec_in "${command}" ${namesOf(completed, program).join(' ')}'`;
    const start = `complete -c ${program} ${condition}`;
    const first = `complete -c ${program} -n '__cvmfsexec_first ${program}'`;
    return [
      ...options.map((option) => `${start} ${words(option)}`),
      ...(command === '' ? commands.map(({ name, text }) => `${first} -a ${name} -d ${quoted(text)}`) : []),
      ...(operands === 'repositories' ? [`${start} -a '(cvmfsexec completion repositories 2>/dev/null)'`] : []),
      ...(operands === 'files' && command !== '' ? [`${start} -F`] : []),
    ];
  });
  return `# fish completion of ${programs.join(', ')}. Made by the build from what --help says.
# Whether the subcommand is $argv[1] ('': none) of those behind it; never behind \`--\`, where a command stands.
function __cvmfsexec_in
    set -l tokens (commandline -opc)
    contains -- -- $tokens; and return 1
    if test (count $tokens) -ge 2; and contains -- $tokens[2] $argv[2..-1]
        test "$tokens[2]" = "$argv[1]"
    else
        test -z "$argv[1]"
    end
end
function __cvmfsexec_first
    test (count (commandline -opc)) -eq 1
end
function __cvmfsexec_command
    set -l tokens (commandline -opc)
    set -l end (contains -i -- -- $tokens); or return 1
    set -l rest $tokens[(math $end + 1)..-1] (commandline -ct)
    complete -C "$rest"
end
${programs.map((program) => `complete -c ${program} -f`).join('\n')}
complete -c cvmfsexec -n 'contains -- -- (commandline -opc)' -a '(__cvmfsexec_command)'
set -g __cvmfsexec_parameters ${parameters.map((name) => `${name}=`).join(' ')}
${lines.join('\n')}
`;
}

function namesOf(completed: readonly Completed[], of: string): string[] {
  return completed.filter(({ program, command }) => program === of && command).map(({ command }) => command);
}

function words({ flags, text, value }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [...names, ...(value ? [valueWords(value)] : []), `-d ${quoted(text)}`].join(' ');
}

function valueWords({ kind, choices }: NonNullable<CompletedOption['value']>): string {
  if (kind === 'directory') return "-x -a '(__fish_complete_directories (commandline -ct))'";
  if (kind === 'file') return '-r -F';
  if (kind === 'parameter') return "-x -a '$__cvmfsexec_parameters'";
  return kind === 'choice' ? `-x -a '${choices.join(' ')}'` : '-x';
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
