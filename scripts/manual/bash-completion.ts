// Completion for bash, with and without the package bash-completion.
import type { Completed, CompletedOption, ValueKind } from './completed.ts';

export function bashCompletion(completed: readonly Completed[], parameters: readonly string[]): string {
  const programs = [...new Set(completed.map(({ program }) => program))];
  const cases = completed.map((entry) => {
    const { program, command, options, commands, operands } = entry;
    const flags = options.flatMap((option) => option.flags);
    return `    '${program} ${command}')
      flags='${flags.join(' ')}' commands='${commands.map(({ name }) => name).join(' ')}' operands=${operands}
      directories=' ${of(options, 'directory')} ' files=' ${of(options, 'file')} ' parameters=' ${of(options, 'parameter')} ' others=' ${of(options, 'other')} '
${choices(options)}      ;;`;
  });
  return `# bash completion of ${programs.join(', ')}. Made by the build from what --help says.
_cvmfsexec() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} program=\${COMP_WORDS[0]##*/} command='' i
  local flags='' commands='' operands='' directories='' files='' parameters='' others='' choices=''
  COMPREPLY=()
  # The value of --option=VALUE and of KEY=VALUE is a word of its own.
  if [ "$cur" = = ]; then cur=''; elif [ "$prev" = = ]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [ "$program" = cvmfsexec ]; then
    for ((i = 1; i < COMP_CWORD; i++)); do
      [ "\${COMP_WORDS[i]}" = -- ] || continue
      if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif [ $((i + 1)) = "$COMP_CWORD" ]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      else
        compopt -o default 2>/dev/null
      fi
      return
    done
  fi
  case "$program \${COMP_WORDS[1]}" in
${completed
  .filter(({ command }) => command)
  .map(({ program, command }) => `    '${program} ${command}')`)
  .map((line, i, all) =>
    i < all.length - 1 ? `${line.slice(0, -1)} | \\` : `${line} [ "$COMP_CWORD" = 1 ] || command=\${COMP_WORDS[1]} ;;`,
  )
  .join('\n')}
  esac
  case "$program $command" in
${cases.join('\n')}
  esac
  case $prev in
    CVMFS_*) compopt -o default 2>/dev/null; return ;;
  esac
  if [ "$choices" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
  elif [[ "$directories" = *" $prev "* ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$cur")
  elif [[ "$files" = *" $prev "* ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ "$parameters" = *" $prev "* ]]; then
    compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -S = -W '${parameters.join(' ')}' -- "$cur")
  elif [[ "$others" = *" $prev "* ]]; then
    return
  elif [[ "$cur" = -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
  else
    [ "$COMP_CWORD" = 1 ] && mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
    if [ "$operands" = repositories ]; then
      [ "$program" = cvmfsexec ] && i=\${COMP_WORDS[0]} || i=cvmfsexec
      mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$("$i" completion repositories 2>/dev/null)" -- "$cur")
    elif [ "$command" ]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
  fi
}
complete -F _cvmfsexec ${programs.join(' ')}
`;
}

function of(options: readonly CompletedOption[], kind: ValueKind): string {
  return options
    .filter(({ value }) => value?.kind === kind)
    .flatMap(({ flags }) => flags)
    .join(' ');
}

function choices(options: readonly CompletedOption[]): string {
  const lines = options
    .filter(({ value }) => value?.kind === 'choice')
    .map(({ flags, value }) => `        ${flags.join(' | ')}) choices='${value?.choices.join(' ')}' ;;\n`);
  return lines.length > 0 ? `      case $prev in\n${lines.join('')}      esac\n` : '';
}
