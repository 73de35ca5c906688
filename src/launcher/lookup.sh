# shellcheck shell=sh

# Ends with 127 or 126, as a shell does, if command $1 cannot be run; else returns.
cx_look_up() {
  case $1 in
    */*)
      [ -e "$1" ] || cx_refuse 127 "$1: No such file or directory"
      [ ! -d "$1" ] || cx_refuse 126 "$1: Is a directory"
      [ -x "$1" ] || cx_refuse 126 "$1: Permission denied"
      return
      ;;
  esac
  cx_refusal=127
  IFS=:
  for cx_directory in ${PATH-/bin:/usr/bin}; do
    [ -f "${cx_directory:-.}/$1" ] || continue
    if [ -x "${cx_directory:-.}/$1" ]; then
      unset IFS
      return
    fi
    cx_refusal=126
  done
  unset IFS
  [ $cx_refusal = 127 ] || cx_refuse 126 "$1: Permission denied"
  cx_refuse 127 "$1: command not found"
}

cx_refuse() {
  printf '%s: %s\n' "$cx_name" "$2" >&2
  exit "$1"
}
