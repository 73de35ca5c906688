#!/bin/sh
# The head of the single file, made by `cvmfsexec makedist`: behind it comes the package with its Node, as a compressed
# archive. The first start unpacks that into a private directory named by its hash, the later ones only find it there.
# See docs/one-file.md. In the package this is a template: makedist fills in the words between @.
unset -f cd kill read printf wait command ulimit test 2>/dev/null
set +efux

cx_version='@VERSION@' # SHA-256 of the archive
cx_offset='@OFFSET@'   # of its first byte, counted from 1
cx_machine='@MACHINE@' # as in `uname -m`
cx_room='@ROOM@'       # kB that it takes when unpacked
cx_loader='@LOADER@'
cx_files='@FILES@' # that are not empty

cx_name=${0##*/}
cx_die() {
  printf '%s: %s\n' "$cx_name" "$1" >&2
  exit 125
}

# --- Which program: by the word behind --as, else by the name that this file is called by.
cx_program=$cx_name
case ${1-} in
  --as)
    [ $# -ge 2 ] || cx_die '--as needs the name of a program: @NAMES@'
    cx_program=$2
    shift 2
    ;;
  --as=*)
    cx_program=${1#--as=}
    shift
    ;;
esac
case $cx_program in
  @PROGRAMS@) ;;
  "$cx_name") cx_program=@DEFAULT@ ;;
  *) cx_die "there is no program '$cx_program' in this file: @NAMES@" ;;
esac

cx_self=$0
case $cx_self in
  */*) ;;
  *) cx_self=$(command -v -- "$cx_self") || cx_self=./$0 ;;
esac

cx_uid=
{ while read -r cx_key cx_1 cx_2 cx_rest; do
  case $cx_key in Uid:) cx_uid=$cx_2 && break ;; esac
done </proc/self/status; } 2>/dev/null
[ "$cx_uid" ] || cx_uid=$(id -u) || cx_die 'cannot find out your user id: /proc is not mounted, and there is no program id'

# Runs function $1 with each directory that may hold the unpacked package, until it succeeds. In the order of the places for
# a cache (src/config/cache-candidates.ts): local and the same for all jobs, the job's own, the home, memory.
cx_each_place() {
  if [ "${CVMFSEXEC_UNPACK_DIR-}" ]; then
    "$1" "$CVMFSEXEC_UNPACK_DIR"
    return
  fi
  for cx_parent in /var/tmp /tmp "${SLURM_TMPDIR-}" "${_CONDOR_SCRATCH_DIR-}" "${TMPDIR-}"; do
    case $cx_parent in /*) ;; *) continue ;; esac
    ! "$1" "$cx_parent/cvmfsexec-$cx_uid" || return 0
  done
  for cx_parent in "${XDG_CACHE_HOME-}" "${HOME:+$HOME/.cache}"; do
    case $cx_parent in /*) ;; *) continue ;; esac
    ! "$1" "$cx_parent/cvmfsexec" || return 0
  done
  for cx_parent in /dev/shm "${XDG_RUNTIME_DIR-}"; do
    case $cx_parent in /*) ;; *) continue ;; esac
    ! "$1" "$cx_parent/cvmfsexec-$cx_uid" || return 0
  done
  return 1
}

# Whether $1 is a directory of ours, and nobody else's link to one.
cx_is_ours() {
  [ ! -h "$1" ] && [ -d "$1" ] && [ -O "$1" ]
}

# Whether directory $1 holds the whole package. File by file: programs that clean up take single old files; and by size, as
# what a machine was writing when it lost its power may be there and empty.
cx_is_whole() {
  for cx_file in $cx_files; do
    { [ -s "$1/$cx_file" ] && [ -O "$1/$cx_file" ]; } || return
  done
}

# Whether it is in place $1, unpacked earlier. Sets cx_home.
cx_is_in() {
  cx_home=$1/$cx_version
  cx_is_ours "$cx_home" && cx_is_ours "$1" && cx_is_whole "$cx_home" && [ -x "$cx_home/node/bin/node" ]
}

# --- The first start.

cx_unpack_in() {
  cx_reason=$(cx_unpack "$1" 2>&1)
  case $?$cx_reason in
    0*) cx_is_in "$1" && return ;;
    3*) cx_die "$cx_reason" ;;
  esac
  cx_tried="${cx_tried:+$cx_tried; }$1: ${cx_reason:-nothing was unpacked}"
  return 1
}

# Unpacks into place $1. Prints why it cannot; status 3: nor can it anywhere else. Runs in a subshell.
cx_unpack() {
  umask 077
  # The caller's settings are for the caller's programs.
  PATH=/usr/bin:/bin:/usr/sbin:/sbin:${PATH-}
  unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT GZIP TAR_OPTIONS POSIXLY_CORRECT
  exec 3>&1 </dev/null >/dev/null 2>&1 || cx_refuse 3 '/dev/null cannot be read and written'
  [ "$(uname -m)" = "$cx_machine" ] || cx_refuse 3 "this file is for $cx_machine, this machine is $(uname -m)"
  for cx_tool in tail gzip tar; do
    command -v $cx_tool || cx_refuse 3 "the first start needs the program $cx_tool"
  done
  [ -r "$cx_self" ] || cx_refuse 3 "cannot read $cx_self, which the first start must"
  cx_make_place "$1"
  # --- One at a time, as long as the other one does not take forever. Rightness does not depend on it.
  cx_busy=
  ([ ! -h "$1/.lock" ] && : >>"$1/.lock") || cx_refuse 1 'cannot be written to (full, or read-only)'
  exec 9>>"$1/.lock"
  if flock -w 60 9; then
    rm -rf "$1"/.new.*
  else # file systems without locks, busybox
    cx_count=0
    until mkdir "$1/.busy"; do
      ! cx_is_in "$1" || exit 0
      cx_count=$((cx_count + 1))
      [ $cx_count -lt 150 ] || break # whoever made it may have been killed
      sleep 0.2 || sleep 1
    done
    cx_busy=$1/.busy
    find "$1" -name '.new.*' -prune -mmin +60 -exec rm -rf {} +
  fi
  trap 'rm -rf "$cx_new" $cx_busy; exit 1' 1 2 15
  if cx_is_in "$1"; then cx_status=0; else
    cx_make_new "$1"
    cx_fill_new "$1"
    cx_status=$?
    [ $cx_status != 0 ] || cx_remove_old "$1"
  fi
  rm -rf "$cx_new"
  [ ! "$cx_busy" ] || rmdir "$cx_busy"
  exit $cx_status
}

cx_new=

# Says why, and ends this attempt.
cx_refuse() {
  printf '%s' "$2" >&3
  [ ! "$cx_new" ] || rm -rf "$cx_new"
  [ ! "${cx_busy-}" ] || rmdir "$cx_busy"
  exit "$1"
}

# Makes the private directory $1, or sees that it is one.
cx_make_place() {
  case $1 in
    "${CVMFSEXEC_UNPACK_DIR-}" | */cvmfsexec) mkdir -p "$1" ;;
    *)
      # Where everybody may write, nobody must be able to take it away.
      [ -k "${1%/*}" ] || [ -O "${1%/*}" ] || cx_refuse 1 'its parent is neither yours nor sticky, or is not there'
      mkdir "$1"
      ;;
  esac
  [ -e "$1" ] || [ -h "$1" ] || cx_refuse 1 'cannot be made (full, or read-only)'
  cx_is_ours "$1" || cx_refuse 1 'is not a directory of yours'
  chmod 700 "$1" || cx_refuse 1 'cannot be made private'
}

# Sets cx_new to a new directory in $1, in which programs can be run and which has room.
cx_make_new() {
  cx_count=0
  until mkdir "$1/.new.$$.$cx_count"; do # process ids are not unique where containers or machines share a directory
    cx_count=$((cx_count + 1))
    [ $cx_count -lt 1000 ] || cx_refuse 1 'cannot be written to (full, or read-only)'
  done
  cx_new=$1/.new.$$.$cx_count
  printf '#!/bin/sh\n' >"$cx_new/try" && [ -s "$cx_new/try" ] || cx_refuse 1 'is full'
  chmod 700 "$cx_new/try"
  "$cx_new/try" || cx_refuse 1 'programs cannot be run there (noexec)'
  # An unpacking that must fail would cost a second.
  cx_free=$(df -Pk "$1" | while read -r cx_1 cx_2 cx_3 cx_4 cx_rest; do echo "$cx_4"; done)
  cx_free=${cx_free##*[!0-9]}
  [ "${cx_free:-$cx_room}" -ge "$cx_room" ] || cx_refuse 1 "has less than the needed $((cx_room / 1024 + 1)) MB of room"
}

# Unpacks into cx_new, verifies, and puts it into its place by a rename.
cx_fill_new() {
  mkdir "$cx_new/$cx_version"
  tail -c +"$cx_offset" "$cx_self" | sha256sum >"$cx_new/sum" &
  tail -c +"$cx_offset" "$cx_self" | gzip -dc | tar -xmof - -C "$cx_new/$cx_version" && cx_is_whole "$cx_new/$cx_version"
  cx_unpacked=$?
  wait $!
  cx_status=$?
  read -r cx_sum cx_rest <"$cx_new/sum"
  # Without a sha256sum, and on a full disk, there is none to compare.
  case $cx_status${cx_sum:+1} in
    01) [ "$cx_sum" = "$cx_version" ] || cx_refuse 3 "$cx_self is damaged: copy it again" ;;
  esac
  [ $cx_unpacked = 0 ] || cx_refuse 1 'cannot unpack there (full, or the file is damaged)'
  # In large pieces, as the kernel then keeps it in large pieces of memory: that makes every start 2 ms shorter.
  cx_file=$cx_new/$cx_version/node/bin/node
  if dd if="$cx_file" of="$cx_file.copy" bs=4194304 && chmod 700 "$cx_file.copy"; then
    mv -f "$cx_file.copy" "$cx_file"
  else
    rm -f "$cx_file.copy" # no room for both, no dd
  fi
  : >"$cx_new/$cx_version/.used"
  mv "$cx_new/$cx_version" "$1/" && return # refused where there is one already
  # --- One with files missing: those are put into it, under the programs that run there.
  for cx_file in $cx_files; do
    { [ -s "$1/$cx_version/$cx_file" ] && [ -O "$1/$cx_version/$cx_file" ]; } || {
      mkdir -p "$1/$cx_version/${cx_file%/*}"
      mv -f "$cx_new/$cx_version/$cx_file" "$1/$cx_version/$cx_file"
    }
  done
  cx_is_in "$1" || cx_refuse 1 "has a broken $cx_version: remove that"
}

# Removes other versions that nothing has been started from for thirty days, and nothing runs from.
cx_remove_old() {
  find "$1" -name .used -path "$1/*/.used" -mtime +30 | while read -r cx_file; do
    cx_old=${cx_file%/.used}
    case ${cx_old##*/} in "$cx_version" | *[!0-9a-f]*) continue ;; esac
    for cx_process in /proc/[0-9]*; do
      [ ! "$cx_process/exe" -ef "$cx_old/node/lib/$cx_loader" ] || continue 2
    done
    rm -rf "$cx_old"
  done
}

# --- Every start.
cx_tried=
cx_each_place cx_is_in || cx_each_place cx_unpack_in ||
  cx_die "cannot unpack this file: $cx_tried. Set CVMFSEXEC_UNPACK_DIR to a directory of yours"
# For cx_remove_old; not by `:`, as a failing redirection of that would be the end of this shell.
true 2>/dev/null >"$cx_home/.used"
exec "$cx_home/bin/$cx_program" "$@"
