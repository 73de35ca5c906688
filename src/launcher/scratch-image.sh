# -m IMAGE: a file system image of the caller's at /e2fs, for scratch space and cache where a node has no disk. Served by
# fuse2fs, as a process of the job. Sourced by init and by the server's parent.
# shellcheck shell=sh

# Called when /e2fs is a directory that can be mounted upon. Returns when it is mounted; else says why not and has init end
# the job.
cx_mount_scratch() {
  case $cx_scratch in /*) ;; *) cx_scratch=$CVMFSEXEC_DIRECTORY/$cx_scratch ;; esac
  [ -f "$cx_scratch" ] ||
    cx_root_failed "-m: there is no file $cx_scratch; make one: truncate -s 20G FILE && mkfs.ext4 -F -O ^has_journal FILE"
  [ -r "$cx_scratch" ] && [ -w "$cx_scratch" ] || cx_root_failed "-m: no permission to read and write $cx_scratch"
  cx_find fuse2fs || cx_root_failed "-m: no program 'fuse2fs' found: install the package fuse2fs"
  cx_fuse2fs=$cx_found
  cx_serve_scratch </dev/null >/dev/null &
  cx_server_of_scratch=$!
  cx_count=0
  until cx_scratch_is_mounted; do
    # A check of a large image takes its time.
    [ -e /proc/$cx_server_of_scratch/exe ] && [ $cx_count -lt 30000 ] || cx_root_failed ''
    cx_count=$((cx_count + 1))
    command sleep 0.02
  done
}

# Becomes fuse2fs. It holds a lock of the image for as long as it lives: two that write to one image would destroy it.
cx_serve_scratch() {
  # Whoever holds descriptors of a repository keeps those waiting who use it.
  for cx_fd in 3 4 $CVMFSEXEC_DESCRIPTORS; do eval "exec $cx_fd<&-"; done
  exec 9<>"$cx_scratch"
  if cx_find flock; then
    "$cx_found" -n -E 75 9 2>/dev/null # other failures: a file system without locks
    [ $? != 75 ] || cx_die "-m: $cx_scratch is in use by another job: each needs an image of its own"
  fi
  # Nothing to do, unless a job was killed: then what fuse2fs had in memory is missing in the image.
  if cx_find e2fsck; then
    cx_said=$("$cx_found" -p "$cx_scratch" 2>&1)
    if [ $? -ge 4 ]; then
      printf '%s: -m: repairing %s\n' "$cx_name" "$cx_scratch" >&2
      cx_said=$("$cx_found" -f -y "$cx_scratch" 2>&1)
      [ $? -lt 4 ] || cx_die "-m: e2fsck cannot repair $cx_scratch (is it an ext2, ext3 or ext4 file system?): ${cx_said##*
}"
    fi
  fi
  exec "$cx_fuse2fs" -f -o allow_other,nosuid,nodev "$cx_scratch" /e2fs
}

# Sets cx_3 to the number of its device.
cx_scratch_is_mounted() {
  while read -r cx_1 cx_2 cx_3 cx_4 cx_point cx_rest; do
    case "$cx_point $cx_rest" in "/e2fs "*' - fuse'*) return 0 ;; esac
  done </proc/self/mountinfo
  return 1
}

# Called by init when the command has ended and the server has put away what it had. Ends all processes of the job that may
# use the image, then unmounts it, which has fuse2fs write what it holds; waits for that for six seconds.
cx_close_scratch() {
  cx_scratch_is_mounted || return 0
  if [ $$ = 1 ] || ! cx_find grep; then
    set -- /proc/[0-9]*
  else
    # Without a pid namespace those are not ours that do not have it mounted, in whatever mount namespace.
    # shellcheck disable=SC2046 # paths of numbers
    set -- $("$cx_found" -ls " $cx_3 / " /proc/[0-9]*/mountinfo)
  fi
  for cx_process; do
    cx_process=${cx_process%/mountinfo}
    case $cx_process in "/proc/$$" | "/proc/$PPID") continue ;; esac
    cx_is_fuse2fs || kill -9 "${cx_process#/proc/}" 2>/dev/null
  done
  cx_find umount
  cx_count=0
  until "$cx_found" -n /e2fs 2>/dev/null; do
    cx_count=$((cx_count + 1))
    [ $cx_count -lt 50 ] || {
      "$cx_found" -n -l /e2fs
      break
    }
    command sleep 0.02
  done
  cx_count=0
  while cx_fuse2fs_runs && [ $cx_count -lt 300 ]; do
    cx_count=$((cx_count + 1))
    command sleep 0.02
  done
}

cx_fuse2fs_runs() {
  for cx_process in /proc/[0-9]*; do
    cx_is_fuse2fs && [ -e "$cx_process/exe" ] && return 0
  done
  return 1
}

# Whether $cx_process is the one of our mount namespace.
cx_is_fuse2fs() {
  cx_line=
  { read -r cx_line <"$cx_process/comm"; } 2>/dev/null
  [ "$cx_line" = fuse2fs ] && [ "$cx_process/ns/mnt" -ef /proc/$$/ns/mnt ]
}
