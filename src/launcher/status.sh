# --status-fd in the monitor: looks at the descriptor, and tells there how the job ended (docs/status-events.md). Sourced by
# it only where the option is given.
# shellcheck shell=sh

cx_check_status_fd() {
  cx_fd=$cx_status_fd
  cx_status_fd='' # nobody can be told
  case $cx_fd in
    [3-9]) ;;
    *) cx_die "--status-fd '$cx_fd': expected the number of an open descriptor, 3 to 9; see 'cvmfsexec --help'" ;;
  esac
  [ -h "/proc/self/fd/$cx_fd" ] || cx_die "--status-fd $cx_fd: this descriptor is not open"
  while read -r cx_key cx_value; do
    case $cx_key$cx_value in
      flags:*[159dD] | flags:*[26]) break ;; # O_WRONLY or O_RDWR in the last octal digit
      flags:*) cx_die "--status-fd $cx_fd: this descriptor is not open for writing" ;;
    esac
  done <"/proc/self/fdinfo/$cx_fd"
  cx_status_fd=$cx_fd
}

# As in programs.sh, and tells the reason.
cx_die() {
  printf '%s: %s\n' "${cx_name:-cvmfsexec}" "$1" >&2
  [ ! "$cx_status_fd" ] || cx_tell_exit 125 "$1"
  exit 125
}

# The job ended with status $1; $2 is why, where that is not the command's own.
cx_tell_exit() {
  cx_time=
  if cx_find date; then
    cx_time=$("$cx_found" +%s.%3N)
    case $cx_time in *[!0-9.]*) cx_time=$("$cx_found" +%s) ;; esac # busybox knows no %N
  fi
  if [ "$1" -gt 128 ] && [ "$1" -lt 160 ]; then cx_line="\"signal\":$(($1 - 128))"; else cx_line="\"status\":$1"; fi
  if [ "${2-}" ]; then
    cx_escape_json "$2"
    cx_line="$cx_line,\"reason\":\"$cx_escaped\""
  fi
  cx_line="{\"event\":\"exit\",\"time\":${cx_time:-0},$cx_line}"
  # Whoever has stopped reading does not end us.
  (
    trap '' 13
    eval "printf '%s\\n' \"\$cx_line\" >&$cx_status_fd"
  ) 2>/dev/null
}

# Sets cx_escaped to $1 as the inside of a JSON string.
cx_escape_json() {
  cx_escaped='' cx_rest=$1
  while [ "$cx_rest" ]; do
    cx_next=${cx_rest#?}
    cx_first=${cx_rest%"$cx_next"}
    case $cx_first in
      [\"\\]) cx_escaped="$cx_escaped\\$cx_first" ;;
      [[:cntrl:]]) cx_escaped="$cx_escaped " ;;
      *) cx_escaped=$cx_escaped$cx_first ;;
    esac
    cx_rest=$cx_next
  done
}
