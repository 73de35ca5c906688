# A launch inside a job in which all that it asks for is mounted already: then the command is run, and nothing else is
# done. Sourced by the monitor, where the environment says that this may be inside a job.
# shellcheck shell=sh

# Becomes the command, the words after the first cx_words + 1; returns if a job of its own is needed. Whoever gives any option wants something that
# the job around does not promise, and whoever names no domain may mean another one.
cx_exec_in_this_job() {
  cx_names='' cx_count=0
  for cx_word; do
    [ $cx_count -lt "$cx_words" ] || break
    cx_count=$((cx_count + 1))
    case $cx_word in
      -* | *[!A-Za-z0-9._-]*) return ;;
      *.*) cx_names="$cx_names $cx_word" ;;
      *) return ;;
    esac
  done
  for cx_word in $cx_names; do [ -d "/cvmfs/$cx_word" ]; done # with --auto it appears by this
  cx_read_job_mounts
  [ "$cx_in_job" ] || return
  for cx_word in $cx_names; do
    case $cx_mounted in
      *" $cx_word "*) ;;
      *) [ "${CVMFSMOUNT-}" ] && "$CVMFSMOUNT" "$cx_word" 2>/dev/null || return ;;
    esac
    # The mount of a server that is gone would answer nobody.
    [ -d "/cvmfs/$cx_word/." ] || return
  done
  shift $((cx_words + 1))
  [ $# -gt 0 ] || set -- "${SHELL:-/bin/sh}"
  case $1 in *=*) return ;; esac # env would take it for a variable
  . "$cx_lib/caller-environment.sh"
  . "$cx_lib/lookup.sh"
  cx_compare_environment <"/proc/$$/environ"
  cx_restore_directories
  cx_look_up "$1"
  [ ! "$cx_assignments" ] || {
    cx_find env
    eval "set -- \"\$cx_found\" $cx_assignments \"\$@\""
  }
  exec "$@"
}

# Sets cx_in_job if /cvmfs is that of a job of ours, by the name that only the launcher gives it, and cx_mounted to the
# repositories there, by the name that CernVM-FS gives them, also under an overlay. mountinfo: field 5 is the mount point; type
# and source follow the hyphen.
cx_read_job_mounts() {
  cx_in_job='' cx_mounted=' '
  while read -r cx_1 cx_2 cx_3 cx_4 cx_point cx_rest; do
    case $cx_point in
      /cvmfs)
        cx_in_job='' cx_mounted=' '
        case ${cx_rest#* - } in 'tmpfs cvmfsexec '* | 'fuse cvmfsexec '*) cx_in_job=1 ;; esac
        ;;
      /cvmfs/*)
        case ${cx_rest#* - } in
          'fuse cvmfs2 '*) cx_mounted="$cx_mounted${cx_point#/cvmfs/} " ;;
        esac
        ;;
    esac
  done </proc/self/mountinfo
}
