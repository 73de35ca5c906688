# The words before `--`, as far as the launch itself must know them. The server reads them once more, and complains
# (src/cli/launch-words.ts); what is wrong here is only passed over. Builtins only. Needs quoting.sh.
# shellcheck shell=sh

# Reads the arguments up to `--`. Sets
#   cx_names           the repositories asked for, each once, with a blank around each
#   cx_image_options   options that are about an image, as words in quotes: none of them has a value attached
#   cx_scratch         value of -m
#   cx_inside          not empty, if the job may ask for more repositories
#   cx_auto            not empty, if it gets more without asking
#   cx_status_fd       value of --status-fd
#   cx_overlays        number of overlays asked for; cx_overlay_1 and so on are their REPO[/PATH][:DIR[:ro]]
#   cx_overlay_engine  auto, kernel or fuse
#   cx_fuse_overlayfs  path of the program, or nothing
cx_parse_words() {
  cx_names=' ' cx_image_options='' cx_image='' cx_scratch='' cx_inside=1 cx_auto='' cx_status_fd=
  cx_overlays=0 cx_overlay_engine=auto cx_fuse_overlayfs=
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    cx_option=$1 cx_value=
    case $1 in
      --*=*)
        cx_option=${1%%=*} cx_value=${1#*=}
        cx_parse_image_option "$cx_option" "$cx_value"
        ;;
      -m*) [ "$1" = -m ] || cx_scratch=${1#-m} ;;
      --contain | --no-home | --cleanenv) cx_image_options="$cx_image_options $1" ;;
    esac
    case $1 in
      -o | -m | --config | --record | --image | --bind | --env | --pwd | --overlay | --overlay-engine | --fuse-overlayfs | \
        --status-fd)
        if [ $# -gt 1 ] && [ "$2" != -- ]; then
          cx_value=$2
          [ "$1" != -m ] || cx_scratch=$2
          cx_parse_image_option "$1" "$2"
          shift
        fi
        ;;
    esac
    shift
    case $cx_option in
      -N) cx_inside='' ;;
      --overlay)
        cx_overlays=$((cx_overlays + 1))
        eval "cx_overlay_$cx_overlays=\$cx_value"
        cx_value=${cx_value%%:*}
        cx_add_name "${cx_value%%/*}"
        ;;
      --overlay-engine) cx_overlay_engine=$cx_value ;;
      --fuse-overlayfs) cx_fuse_overlayfs=$cx_value ;;
      --status-fd) cx_status_fd=$cx_value ;;
      --auto) cx_auto=1 ;; # a pattern as the next word is no name
      -*) ;;
      *) cx_add_name "$cx_option" ;;
    esac
  done
  # Scratch space is for the command, wherever that runs.
  [ ! "$cx_scratch" ] || [ ! "$cx_image" ] || cx_image_options="$cx_image_options --bind /e2fs"
  # An image that is a name is looked up in the repositories; without any, in the usual ones.
  [ "$cx_image" ] && [ "$cx_names" = ' ' ] || return 0
  case $cx_image in
    /* | . | ./* | .. | ../*) ;;
    *) for cx_word in ${CVMFSEXEC_IMAGE_HUBS-unpacked.cern.ch}; do cx_add_name "$cx_word"; done ;;
  esac
}

cx_add_name() {
  case $1 in
    '' | *[!A-Za-z0-9._-]*) ;;
    *) case $cx_names in *" $1 "*) ;; *) cx_names="$cx_names$1 " ;; esac ;;
  esac
}

# Option $1 with value $2. An image below /cvmfs names its repository by its path.
cx_parse_image_option() {
  case $1 in
    --image)
      cx_image=$2
      case $2 in
        /cvmfs/*)
          cx_word=${2#/cvmfs/}
          cx_add_name "${cx_word%%/*}"
          ;;
      esac
      ;;
    --bind | --env | --pwd) ;;
    *) return ;;
  esac
  cx_quote "$2"
  cx_image_options="$cx_image_options $1 $cx_quoted"
}
