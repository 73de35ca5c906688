# Where paths lead inside an image: its symbolic links mean the image's own root, never the host's. Sourced by start.sh.
# shellcheck shell=sh

# Follows path $1 inside the file tree at directory $cx_view. Sets cx_path to what it leads to: absolute, as seen from
# inside, without links; cx_kind to `directory`, `file` (anything else that exists) or `missing`. What is mounted upon
# later is not looked at. Fails, with cx_problem, if it cannot lead anywhere.
cx_follow() {
  cx_path='' cx_kind=directory cx_ahead=$1 cx_links=0
  while [ "$cx_ahead" ]; do
    cx_part=${cx_ahead%%/*}
    case $cx_ahead in */*) cx_ahead=${cx_ahead#*/} ;; *) cx_ahead='' ;; esac
    case $cx_part in
      '' | .) continue ;;
      ..)
        cx_path=${cx_path%/*}
        continue
        ;;
    esac
    if [ -h "$cx_view$cx_path/$cx_part" ]; then
      cx_links=$((cx_links + 1))
      [ $cx_links -le 40 ] || { cx_problem='too many symbolic links'; return 1; }
      cx_read_link "$cx_view$cx_path/$cx_part" || { cx_problem='cannot be read'; return 1; }
      case $cx_target in /*) cx_path='' ;; esac
      cx_ahead=$cx_target/$cx_ahead
      continue
    fi
    cx_path=$cx_path/$cx_part
    [ -d "$cx_view$cx_path" ] || [ ! -e "$cx_view$cx_path" ] || case $cx_ahead in
      *[!/]*) cx_problem="$cx_path is a file where a directory should be"; return 1 ;;
    esac
  done
  if [ -d "$cx_view$cx_path" ]; then cx_kind=directory
  elif [ -e "$cx_view$cx_path" ]; then cx_kind='file'
  else cx_kind=missing
  fi
}

# Sets cx_target to the target of link $1. Most are asked for more than once (/bin), and asking starts a program.
cx_known_links=
cx_read_link() {
  cx_link=$1
  eval "set -- $cx_known_links"
  while [ $# -gt 0 ]; do
    cx_target=$2
    [ "$1" != "$cx_link" ] || return 0
    shift 2
  done
  cx_target=$(command readlink -- "$cx_link" && echo .) || return
  cx_target=${cx_target%??} # a newline of readlink's own
  cx_quote "$cx_link"
  cx_known_links="$cx_known_links $cx_quoted"
  cx_quote "$cx_target"
  cx_known_links="$cx_known_links $cx_quoted"
}

# Whether $1, absolute, is an executable file inside the image; sets cx_path to what it leads to.
cx_is_program() {
  cx_follow "$1" && [ "$cx_kind" = file ] && [ -f "$cx_view$cx_path" ] && [ -x "$cx_view$cx_path" ]
}
