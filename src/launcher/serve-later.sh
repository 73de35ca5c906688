# A launch that names no repository: the server is only there for what the job may ask for from inside, and most never ask.
# It is started by the first request, as one that takes over from a server before it. Sourced by the server's parent.
# shellcheck shell=sh

# Whether that can be, for words "$@" as cx_parse_words has read them. Nobody looks at them before the command starts then:
# they must be such as the server would accept (src/cli/launch-words.ts). What else there is the server is started for.
cx_can_serve_later() {
  [ "$cx_names$cx_auto$cx_status_fd" = ' ' ] && [ "$cx_image$cx_scratch" ] || return
  [ "$cx_image" ] || [ ! "$cx_image_options" ] || return
  while [ $# -gt 0 ]; do
    case $1 in
      -N | -d | --debug | --offline | --own | --map-subids | --host-pids | --contain | --no-home | --cleanenv)
        shift
        continue
        ;;
      --*=*)
        cx_option=${1%%=*} cx_value=${1#*=}
        shift
        ;;
      *)
        [ $# -gt 1 ] || return
        cx_option=$1 cx_value=$2
        shift 2
        ;;
    esac
    case $cx_option in
      --image) case $cx_value in /cvmfs/*) return 1 ;; /* | . | ./* | .. | ../*) ;; *) return 1 ;; esac ;;
      --bind)
        case $cx_value in
          '' | :* | *:*:*:*) return 1 ;;
          *:/*:ro | *:/*:rw) ;;
          *:*:*) return 1 ;;
          *:/*) ;;
          *:*) return 1 ;;
        esac
        ;;
      --pwd) case $cx_value in /*) ;; *) return 1 ;; esac ;;
      -o | --env)
        case $cx_value in *=*) ;; *) return 1 ;; esac
        case ${cx_value%%=*} in '' | [0-9]* | *[!A-Za-z0-9_]*) return 1 ;; esac
        ;;
      --overlay-engine) case $cx_value in auto | kernel | fuse) ;; *) return 1 ;; esac ;;
      -m | --config | --fuse-overlayfs) ;;
      *) return 1 ;;
    esac
  done
}

# Tells the starter that all is there, and returns when the job has asked for something. The request is put back for the
# server to read.
cx_await_request() {
  read -r cx_line <&4 && { printf '%s\n' "$cx_line" >&4 & } &
  cx_reader=$!
  cx_line=ready
  [ ! "$cx_inside" ] || {
    cx_line=$(command readlink /proc/self/fd/4)
    cx_line=${cx_line#*[} cx_line="ready $cx_self ${cx_line%]}"
  }
  # A signal may have ended the starter.
  trap '' 13
  printf '%s\n' "$cx_line"
  trap - 13
  wait "$cx_reader"
  trap - URG
}
