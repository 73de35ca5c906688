# What stands between the server's `ready` and the command: views of the repositories that the job asked for (overlays).
# A process of its own with the rights of the mount namespace, started by init only where there is something to do. It
# stays where something has to be held or watched for as long as the job lives.
# shellcheck shell=sh

# stdin: the server's stdout, see src/cli/server.ts; stdout: the command's starter.
cx_make_views() {
  # As the server's parent (serve.sh): of what is sent to the whole job this must not die.
  trap '' 1 2 3 10 12 15 20 21 22
  for cx_fd in $cx_taken $cx_stdin $cx_spare; do
    [ "$cx_fd" = 3 ] || eval "exec $cx_fd<&-"
  done
  exec 3<&-
  cd / || exit 125
  cx_clean_node_environment
  cx_add_system_path
  cx_init=$$
  cx_fqrns=' '
  while :; do
    read -r cx_line || exit 125 # whoever failed has said so
    case $cx_line in
      ready*) break ;;
      *=*) cx_fqrns="$cx_fqrns$cx_line " ;;
    esac
  done
  cx_ready=$cx_line
  cx_held=
  cx_overlay_number=0
  while [ $cx_overlay_number -lt "$cx_overlays" ]; do
    cx_overlay_number=$((cx_overlay_number + 1))
    eval "cx_make_overlay \"\$cx_overlay_$cx_overlay_number\"" || {
      printf '%s: --overlay %s: %s\n' "$cx_name" "$cx_asked" "$cx_why" >&2
      kill -61 "$cx_init"
      exit 125
    }
  done
  printf '%s\n' "$cx_ready"
  exec </dev/null >/dev/null
  [ "$cx_held" ] || exit 0
  # The locks are held by two processes: one of them may be killed.
  cx_find sleep
  "$cx_found" 2147483647 2>/dev/null
  exec "$cx_found" 2147483647
}

# Whether DIR is in a place of the host: what is ours ends with the job. The user of a namespace can make nothing in the
# host's root, but can in the root that we may have put in its place.
cx_is_kept() {
  [ "$cx_changes" ] || return 0
  cx_parent=$(cd -P -- "${cx_changes%/*}/" 2>/dev/null && pwd -P && echo .)
  case ${cx_parent%?.} in
    /cvmfs | /cvmfs/* | /proc/*) cx_why="$cx_changes is no place that outlives the job" ;;
    /) [ ! "$cx_userns" ] || [ -d "$cx_changes" ] || cx_why="cannot make the directory $cx_changes" ;;
  esac
  [ ! "$cx_why" ]
}

# Mounts the overlay REPO[/PATH][:DIR[:ro]] over its own directory.
cx_make_overlay() {
  cx_asked=$1 cx_changes='' cx_mode='' cx_why=''
  cx_place=${1%%:*}
  case $1 in
    *:*)
      cx_changes=${1#*:}
      case $cx_changes in *:ro) cx_changes=${cx_changes%:ro} cx_mode=ro ;; esac
      case $cx_changes in /*) ;; *) cx_changes=$cx_pwd/$cx_changes ;; esac
      ;;
  esac
  cx_repository=${cx_place%%/*}
  case $cx_fqrns in
    *" $cx_repository="*)
      cx_fqrn=${cx_fqrns#*" $cx_repository="}
      cx_fqrn=${cx_fqrn%% *}
      ;;
    *) cx_fqrn=$cx_repository ;;
  esac
  cx_is_kept || return
  cx_place=/cvmfs/$cx_fqrn${cx_place#"$cx_repository"}
  [ -d "$cx_place/." ] # with --auto it appears by this
  # Where links lead to: the mount is made there.
  cx_real=$(cd -P -- "$cx_place" 2>/dev/null && pwd -P && echo .) || {
    cx_why="there is no directory $cx_place"
    return 1
  }
  cx_real=${cx_real%?.}
  case $cx_real in
    /cvmfs/?*) ;;
    *)
      cx_why="$cx_place leads to $cx_real, which is in no repository"
      return 1
      ;;
  esac
  cx_quote_lower "$cx_real"
  cx_mount_overlay "$cx_quoted" "$cx_real" "$cx_changes" "$cx_mode"
}
