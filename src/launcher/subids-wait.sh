# Runs "$3..." when the maps of this new user namespace have been written (see subids.sh), as root in it. A process that
# gets rights by an exec loses its wish to die with its parent: $2 is how to make it anew (cx_death).
# shellcheck shell=sh
unset -f cd kill read printf wait command ulimit test 2>/dev/null
. "$1/programs.sh"
cx_death=$2
shift 2
trap 'exit 125' 15
cx_count=0
cx_find sleep
until { read -r cx_line </proc/self/uid_map && read -r cx_line </proc/self/gid_map; } 2>/dev/null; do
  cx_count=$((cx_count + 1))
  [ $cx_count -lt 2000 ] || exit 125
  "$cx_found" 0.005
done
trap - 15
cx_exec_dying KILL "$@"
