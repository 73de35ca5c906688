# --status-fd in the server's parent. Sourced by init only where the option is given.
# shellcheck shell=sh

# Keeps the descriptor for the servers, as 9, and exports CVMFSEXEC_STATUS: that number, and the command's process id as
# the caller sees it. /proc is still the host's: only this process itself will mount another one.
cx_hand_status_on() {
  cx_find_command_pid
  for cx_fd in $cx_stdin $cx_spare; do eval "exec $cx_fd<&-"; done
  cx_stdin='' cx_spare='' cx_others=
  [ "$cx_status_fd" = 9 ] || eval "exec 9>&$cx_status_fd"
  for cx_fd in $cx_taken; do [ "$cx_fd" = 9 ] || cx_others="$cx_others $cx_fd"; done
  cx_taken=$cx_others
  CVMFSEXEC_STATUS="9 $cx_command_pid"
  export CVMFSEXEC_STATUS
}

# The process that becomes the command is a child of init, and is its starter by now or in a moment.
cx_find_command_pid() {
  cx_count=0 cx_command_pid=
  [ -e "/proc/$cx_init_pid/task/$cx_init_pid/children" ] || return
  while [ $cx_count -lt 200 ]; do
    cx_count=$((cx_count + 1))
    read -r cx_children <"/proc/$cx_init_pid/task/$cx_init_pid/children"
    for cx_process in $cx_children; do
      cx_line=
      { read -r cx_line <"/proc/$cx_process/cmdline"; } 2>/dev/null
      case $cx_line in *"$cx_lib/starter.sh"*) cx_command_pid=$cx_process && return ;; esac
    done
    command sleep 0.01
  done
}
