# Cleaning up where there is no pid namespace that would do it. Sourced by the keeper and by init.
# shellcheck shell=sh

# Kills all processes of our mount namespace but this one and its parent, until there are none. What the kernel does not
# let go within some seconds (a dead NFS server) is left to it: the signal is pending.
cx_sweep() {
  cx_passes=0
  while [ $cx_passes -lt 500 ]; do
    cx_passes=$((cx_passes + 1)) cx_left=
    for cx_process in /proc/[0-9]*; do
      case $cx_process in "/proc/$$" | "/proc/$PPID") continue ;; esac
      [ "$cx_process/ns/mnt" -ef /proc/$$/ns/mnt ] && kill -9 "${cx_process#/proc/}" 2>/dev/null && cx_left=1
    done
    [ "$cx_left" ] || return 0
    command sleep 0.01
  done
}
