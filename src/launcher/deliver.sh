# Delivers signals to the command, each exactly once. Sourced by init.
# shellcheck shell=sh

# A signal comes directly when it was sent to the whole process group: then the command has it too, if it is still in
# that group. It comes as number + 34 when the monitor passes on what it got. Of the pair that a signal to the group
# makes, the second is dropped; the direct one is sent first, has the lower number, and so is handled first.
# Between the commands of one trap another may run, so a direct arrival is counted by the trap's first command.
cx_set_traps() {
  for cx_signal in 28 20 18 15 12 10 3 2 1; do
    eval "cx_count_$cx_signal=0 cx_at_$cx_signal=0 cx_last_$cx_signal=0"
    # shellcheck disable=SC2064 # the number of now
    trap "cx_count_$cx_signal=\$((cx_count_$cx_signal + 1)) cx_at_$cx_signal=; cx_direct $cx_signal" $cx_signal
    # shellcheck disable=SC2064
    trap "${1-cx_passed_on} $cx_signal" $((cx_signal + 34))
  done
}

# In bash a process of its own handles the signals (see wait.sh). Of two that came together bash begins with the trap of
# the lower number, but runs that of the higher one before its first command. So what was passed on is put on a list, and
# looked at when no trap is running.
cx_deliver_in_bash() {
  cx_make_pipe
  cx_list=
  cx_set_traps cx_put_on_list
  while :; do
    read -r cx_line <&"$cx_pipe"
    while [ "$cx_list" ]; do
      cx_signal=${cx_list%% *}
      cx_list=${cx_list#* }
      cx_passed_on "$cx_signal"
    done
  done
}

cx_put_on_list() {
  cx_list="$cx_list$1 "
  echo >&"$cx_pipe"
}

# Of what a trap runs. Another trap may run between any two commands: variables hold what that finds as well, or belong to
# one signal. And dash and busybox then take the status of the command before it for that of what the first trap had
# interrupted: nothing here goes by a status, all by `case`.

# Notes when signal $1 came directly. What is left of ten seconds ago is of no meaning.
cx_direct() {
  cx_interrupted=$1
  cx_now
  eval "case \$((cx_time - cx_last_$1 > 1000 && cx_count_$1 != 0)) in 1) cx_count_$1=1 ;; esac"
  eval "cx_last_$1=\$cx_time cx_at_$1=\$cx_time"
  cx_see_begin
  case $cx_begun in '') cx_too_early "$1" ;; esac
}

cx_passed_on() {
  cx_interrupted=$1
  cx_see_begin
  case $cx_begun in '') cx_too_early "$1" ;; esac
  # Batch systems signal process by process: ours may be about to come.
  for cx_pause in '' 0.01; do
    case $cx_pause in ?*) command sleep $cx_pause ;; esac
    # $2: whether it came directly, and this has not been counted yet; or was too long ago.
    cx_now
    eval "set -- $1 \$((cx_count_$1 == 0 ? 0 : cx_time - \${cx_at_$1:-\$cx_time} > 1000 ? 2 : 1))"
    case $2 in
      1)
        eval "cx_count_$1=\$((cx_count_$1 - 1))"
        cx_compare_groups
        case $cx_is_in_group in 1) return ;; esac
        ;;
      2) eval "cx_count_$1=0" ;;
    esac
  done
  kill -"$1" "$cx_command" 2>/dev/null
}

# Sets cx_begun if signals reach what is to become the command: not while it is still this shell's background copy, or a
# program that puts signals back to their default for it (cx_start_command). The arguments of a process tell what it is;
# `read` drops the NULs between them.
cx_see_begin() {
  case $cx_begun in 1) return ;; esac
  # While /proc is still the host's it knows our processes by other numbers.
  read -r cx_own_pid cx_rest </proc/self/stat
  case $cx_own_pid in "${BASHPID:-$$}") ;; *) return ;; esac
  cx_becoming=
  { read -r cx_becoming </proc/"$cx_command"/cmdline; } 2>/dev/null
  case $cx_becoming in
    '') # none for a moment while it becomes another program, or it has ended
      cx_see_state
      case $cx_state in [!ZX]*) return ;; esac
      ;;
    *"$cx_lib/init.sh"*) return ;;
    "/bin/sh$cx_lib/starter.sh"*) ;;
    *"/bin/sh$cx_lib/starter.sh"*) return ;;
  esac
  cx_begun=1
}

# Sets cx_state to what /proc says of the command; to nothing, if there is none.
cx_see_state() {
  cx_state=
  { read -r cx_state </proc/"$cx_command"/stat; } 2>/dev/null
  cx_state=${cx_state##*) }
}

# There is no command that could have it. Those that mean to end a program end the job.
cx_too_early() {
  case $1 in 18 | 20 | 28) return ;; esac
  case ${BASH_VERSION:+bash} in
    bash) kill -$(($1 + 34)) $$ ;; # $$ is init
    *) cx_finish $(($1 + 128)) ;;
  esac
}

# Whether the command, too, has what is sent to our process group: the third field behind the name.
cx_compare_groups() {
  cx_stat_here='' cx_stat_there=
  { read -r cx_stat_here </proc/$$/stat; } 2>/dev/null
  { read -r cx_stat_there </proc/"$cx_command"/stat; } 2>/dev/null
  # shellcheck disable=SC2086 # words
  set -- ${cx_stat_here##*) }
  # shellcheck disable=SC2086
  set -- "${3-}" ${cx_stat_there##*) }
  case ${4-} in "$1") cx_is_in_group=1 ;; *) cx_is_in_group='' ;; esac
}

# Sets cx_time, in hundredths of a second.
cx_now() {
  read -r cx_uptime cx_rest </proc/uptime
  cx_time=${cx_uptime%.*}${cx_uptime#*.}
}
