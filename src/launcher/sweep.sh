# Cleaning up where there is no pid namespace that would do it. Sourced by the keeper and by init.
# shellcheck shell=sh

# Sets cx_device to the number of what is mounted on /cvmfs: the last one is on top. ID PARENT DEVICE ROOT POINT ...
cx_see_device() {
  cx_device=
  while read -r cx_line cx_line cx_next cx_line cx_point cx_line; do
    [ "$cx_point" != /cvmfs ] || cx_device=$cx_next
  done </proc/self/mountinfo
}

# The host may have a mount there, too, until ours covers it: who has that is no process of the job.
[ "$cx_pidns" ] || cx_see_device
cx_foreign_device=${cx_device-}

# Kills all processes of our mount namespace but this one and its parent, until there are none, and those of other ones in
# which our /cvmfs is mounted (images, containers). What the kernel does not let go within some seconds (a dead NFS server)
# is left to it: the signal is pending.
cx_sweep() {
  cx_passes=0 cx_grep=
  cx_see_device
  [ "$cx_device" = "$cx_foreign_device" ] || { cx_find grep && cx_grep=$cx_found; }
  while [ $cx_passes -lt 500 ]; do
    cx_passes=$((cx_passes + 1)) cx_left=
    for cx_process in /proc/[0-9]*; do
      case $cx_process in "/proc/$$" | "/proc/$PPID") continue ;; esac
      [ "$cx_process/ns/mnt" -ef /proc/$$/ns/mnt ] && kill -9 "${cx_process#/proc/}" 2>/dev/null && cx_left=1
    done
    for cx_process in ${cx_grep:+$("$cx_grep" -ls " $cx_device / " /proc/[0-9]*/mountinfo)}; do
      cx_process=${cx_process%/mountinfo}
      case $cx_process in "/proc/$$" | "/proc/$PPID") continue ;; esac
      kill -9 "${cx_process#/proc/}" 2>/dev/null && cx_left=1
    done
    [ "$cx_left" ] || return 0
    command sleep 0.01
  done
}
