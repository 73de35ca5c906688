# Asking the job's server for a mount, from any process inside. Sourced by mount-inside.sh and umount-inside.sh.
# The request is one line on the descriptor $CVMFSEXEC_CMDFD, written at once, so those of many processes do not mix:
#   ACTION PID FD TRY NAME PIPE
# PID is a process whose stdout is the pipe for the answer, `STATUS TEXT`; the server opens it by /proc (src/launcher/
# mount-requests.ts), so that no files and no names are needed, in whatever mount namespace we are. The number PID may be
# another process's where the server is: PIPE, as /proc shows it, tells which is meant.
# shellcheck shell=sh

cx_usage() {
  printf '%s\n' "$1" >&2
  exit 2
}

cx_refuse() {
  printf 'cvmfsexec: cannot %s %s: %s\n' "$cx_action" "$cx_repository" "$1" >&2
  exit 1
}

# How often the request is made, every second: the server may have been killed with it.
cx_tries=120

# Asks for action $1 (mount, unmount, detach) on repository $2, and ends with the answer.
cx_request() {
  cx_action=$1 cx_repository=$2
  case $2 in
    '' | *[!A-Za-z0-9._-]*) cx_refuse 'this is not a repository name' ;;
  esac
  case ${CVMFSEXEC_CMDFD-} in
    '' | *[!0-9]*) cx_refuse 'not inside a job that offers this ($CVMFSEXEC_CMDFD is not set)' ;;
  esac
  [ "$(readlink "/proc/self/fd/$CVMFSEXEC_CMDFD")" = "pipe:[${CVMFSEXEC_CMDPIPE-}]" ] ||
    cx_refuse "descriptor $CVMFSEXEC_CMDFD (\$CVMFSEXEC_CMDFD) is closed here, or used for something else"
  cx_keep_asking | cx_await_answer
  exit $?
}

# Tells its pid, then asks until it is killed.
cx_keep_asking() {
  read -r cx_pid cx_rest </proc/self/stat
  echo "$cx_pid"
  cx_pipe=$(readlink "/proc/$cx_pid/fd/1")
  cx_sleep=
  trap '[ ! "$cx_sleep" ] || kill $cx_sleep; exit' TERM
  cx_try=1
  while [ $cx_try -le $cx_tries ]; do
    # In a process of its own: while it is written, its stdout is the requests' pipe, and the answer may come at once.
    (echo "$cx_action $cx_pid $CVMFSEXEC_CMDFD $cx_try $cx_repository $cx_pipe" >&"$CVMFSEXEC_CMDFD")
    sleep 1 >/dev/null 2>&1 &
    cx_sleep=$!
    wait $cx_sleep
    cx_sleep=
    cx_try=$((cx_try + 1))
  done
}

cx_await_answer() {
  read -r cx_asking
  if read -r cx_status cx_text; then
    kill "$cx_asking" 2>/dev/null
  else
    cx_status=1 cx_text="cannot $cx_action $cx_repository: no answer within $cx_tries s"
  fi
  [ "$cx_status" = 0 ] || printf 'cvmfsexec: %s\n' "$cx_text" >&2
  exit "$cx_status"
}
