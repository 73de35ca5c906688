# The words before `--`, as far as the launch itself must know them. The server reads them once more, and complains
# (src/cli/launch-words.ts); what is wrong here is only passed over. Builtins only.
# shellcheck shell=sh

# Reads the arguments up to `--`. Sets cx_names to the repositories asked for, each once, with a blank around each.
cx_parse_words() {
  cx_names=' '
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    cx_option=$1
    case $1 in
      --*=*) cx_option=${1%%=*} ;;
      -o | -m | --config | --record) [ $# -eq 1 ] || [ "$2" = -- ] || shift ;;
    esac
    shift
    case $cx_option in
      -*) ;;
      '' | *[!A-Za-z0-9._-]*) ;;
      *) case $cx_names in *" $cx_option "*) ;; *) cx_names="$cx_names$cx_option " ;; esac ;;
    esac
  done
}
