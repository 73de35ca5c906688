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

# Notes when signal $1 came directly. What is left of ten seconds ago is of no meaning.
cx_direct() {
  cx_interrupted=$1
  cx_now
  eval "[ \$((cx_time - cx_last_$1)) -le 1000 ] || [ \$cx_count_$1 = 0 ] || cx_count_$1=1"
  eval "cx_last_$1=\$cx_time cx_at_$1=\$cx_time"
  cx_has_begun || cx_too_early "$1"
}

cx_passed_on() {
  cx_interrupted=$1
  cx_has_begun || cx_too_early "$1"
  cx_had_directly "$1" && return
  # Batch systems signal process by process: ours may be about to come.
  command sleep 0.01
  cx_had_directly "$1" && return
  kill -"$1" "$cx_command" 2>/dev/null
}

# Whether signals reach what is to become the command: not while it is still this shell's background copy, or a program
# that puts signals back to their default for it (cx_start_command). The arguments of a process tell what it is; `read`
# drops the NULs between them.
cx_has_begun() {
  [ ! "$cx_begun" ] || return 0
  cx_line=
  { read -r cx_line </proc/"$cx_command"/cmdline; } 2>/dev/null
  case $cx_line in
    '' | *"$cx_lib/init.sh"*) return 1 ;;
    "/bin/sh$cx_lib/starter.sh"*) ;;
    *"/bin/sh$cx_lib/starter.sh"*) return 1 ;;
  esac
  cx_begun=1
}

# There is no command that could have it. Those that mean to end a program end the job.
cx_too_early() {
  case $1 in 18 | 20 | 28) return ;; esac
  if [ "${BASH_VERSION-}" ]; then kill -$(($1 + 34)) $$; else cx_finish $(($1 + 128)); fi # $$ is init
}

# Whether the command got signal $1 by its group, and this has not been counted yet.
cx_had_directly() {
  cx_now
  eval "cx_count=\$cx_count_$1 cx_at=\${cx_at_$1:-\$cx_time}"
  [ "$cx_count" != 0 ] || return 1
  if [ $((cx_time - cx_at)) -gt 1000 ]; then
    eval "cx_count_$1=0"
    return 1
  fi
  eval "cx_count_$1=\$((cx_count - 1))"
  cx_group $$
  cx_ours=$cx_pgrp
  cx_group "$cx_command"
  [ "$cx_pgrp" = "$cx_ours" ]
}

# Sets cx_pgrp to the process group of $1.
cx_group() {
  cx_pgrp=
  { read -r cx_line </proc/"$1"/stat; } 2>/dev/null || return
  cx_line=${cx_line##*) } # state, parent, group
  cx_line=${cx_line#* } cx_line=${cx_line#* }
  cx_pgrp=${cx_line%% *}
}

# Sets cx_time, in hundredths of a second.
cx_now() {
  read -r cx_time cx_rest </proc/uptime
  cx_time=${cx_time%.*}${cx_time#*.}
}
