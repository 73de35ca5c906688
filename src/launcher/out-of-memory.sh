# Whether the kernel's OOM killer was at work in the memory limit that this job runs in. Sourced by the server's parent when a server
# was killed by signal 9.
# shellcheck shell=sh

# Adds it to cx_cause. The kernel counts the victims in each control group: memory.events of version 2, memory.oom_control
# of version 1. Where the group's own directory is not seen, as in a container, it is the topmost one.
cx_look_for_oom() {
  while IFS=: read -r cx_1 cx_controllers cx_group; do
    case ,$cx_controllers, in
      *,memory,*)
        cx_look_in_group memory.oom_control memory.limit_in_bytes "/sys/fs/cgroup/memory$cx_group" \
          /sys/fs/cgroup/memory && return
        ;;
      ,,) cx_look_in_group memory.events memory.max "/sys/fs/cgroup$cx_group" /sys/fs/cgroup && return ;;
    esac
  done </proc/self/cgroup
}

# $1: file with the count, $2: file with the limit, the rest: directories, of which the first that has them counts.
cx_look_in_group() {
  cx_events=$1 cx_maximum=$2
  shift 2
  for cx_directory; do [ -r "$cx_directory/$cx_events" ] && break; done
  cx_victims=0
  { while read -r cx_key cx_value; do
    [ "$cx_key" != oom_kill ] || cx_victims=$cx_value
  done <"$cx_directory/$cx_events"; } 2>/dev/null
  [ "$cx_victims" -gt 0 ] || return
  cx_value=
  { read -r cx_value <"$cx_directory/$cx_maximum"; } 2>/dev/null
  # `max`, or a number as large as memory may ever be, is no limit of this group.
  case $cx_value in
    '' | *[!0-9]* | ????????????????*) cx_limit='the memory limit' ;;
    *) cx_limit="the memory limit of $((cx_value / 1048576)) MB" ;;
  esac
  cx_cause="$cx_cause: $cx_limit was reached, and the kernel's OOM killer has killed $cx_victims of the processes in it"
}
