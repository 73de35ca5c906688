// Completion for zsh: a file _cvmfsexec in a directory of $fpath, or evaluated after compinit.
import type { Completed, CompletedOption } from './completed.ts';

export function zshCompletion(completed: readonly Completed[], parameters: readonly string[]): string {
  const programs = [...new Set(completed.map(({ program }) => program))];
  const cases = completed.map(({ program, command, options, operands }) => {
    const specs = options.map((option) => `      ${quoted(spec(option))}`).join(' \\\n');
    const rest = operands === 'repositories' ? '_cvmfsexec_repositories' : '_files';
    return `    ${quoted(`${program} ${command}`)}) _arguments -s : \\\n${specs} \\\n      '*:${operands}:${rest}' ;;`;
  });
  const commands = programs.map((program) => {
    const own = completed.find((entry) => entry.program === program && entry.command === '')?.commands ?? [];
    return `    ${program}) commands=(${own.map(({ name, text }) => quoted(`${name}:${text}`)).join(' ')}) ;;`;
  });
  return `#compdef ${programs.join(' ')}
# Made by the build from what --help says.
_cvmfsexec_repositories() {
  local -a found
  found=(\${(f)"$(cvmfsexec completion repositories 2>/dev/null)"})
  compadd -a found
}
_cvmfsexec_parameters() {
  if compset -P '*='; then
    _default
  else
    compadd -S = ${parameters.join(' ')}
  fi
}
_cvmfsexec() {
  local program=\${words[1]:t} end=\${words[(i)--]}
  local -a commands
  # Behind -- stands a command with words of its own.
  if [[ $program = cvmfsexec ]] && ((end < CURRENT)); then
    shift $end words
    ((CURRENT -= end))
    _normal
    return
  fi
  case $program in
${commands.join('\n')}
  esac
  local command=''
  if ((CURRENT > 2)) && [[ -n \${commands[(r)$words[2]:*]} ]]; then
    command=$words[2]
    shift words
    ((CURRENT--))
  elif ((CURRENT == 2 && $#commands)) && [[ $words[2] != -* ]]; then
    _describe command commands
  fi
  case "$program $command" in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _cvmfsexec ]; then
  _cvmfsexec "$@"
else
  compdef _cvmfsexec ${programs.join(' ')}
fi
`;
}

/** Of _arguments: {-d,--debug}'[text]:name:action', once for each spelling. Options may be repeated. */
function spec({ flags, text, value }: CompletedOption): string {
  const plain = text.replace(/[[\]:]/g, '\\$&');
  // One spelling is enough for a choice to be found; the long one is what people read.
  const flag = flags.at(-1) ?? '';
  const takes = value === undefined ? '' : `:${value.name.replace(/[^A-Za-z=]/g, ' ')}:${action(value)}`;
  const attached = value === undefined ? '' : flag.startsWith('--') ? '=' : '+';
  return `*${flag}${attached}[${plain}]${takes}`;
}

function action({ kind, choices }: NonNullable<CompletedOption['value']>): string {
  if (kind === 'directory') return '_directories';
  if (kind === 'file') return '_files';
  if (kind === 'parameter') return '_cvmfsexec_parameters';
  return kind === 'choice' ? `(${choices.join(' ')})` : ' ';
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
