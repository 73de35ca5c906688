# The caller's ids in the command's user namespace, where `unshare` cannot do it: it has no --map-user, or there are more ids
# than the caller's own (--map-subids). The kernel lets a process of the outer namespace write the maps. Sourced by
# starter.sh, with cx_uid_map and cx_gid_map; prepends to "$@" what makes the namespace and waits for the maps.
# shellcheck shell=sh

# The kernel wants a map in one write, and bash's printf makes one a line.
cx_write='printf'
[ ! "$cx_subids" ] || { cx_find printf && cx_write=$cx_found; }
# Not a child of the command: forked twice, adopted by init.
(
  (
    # In this subshell $$ is still the starter, which becomes the command.
    cx_add_system_path
    while [ /proc/$$/ns/user -ef /proc/"$PPID"/ns/user ]; do command sleep 0.002; done
    [ "$cx_subids" ] || { echo deny >/proc/$$/setgroups; } 2>/dev/null # older kernels do not have it
    "$cx_write" '%s\n' "$cx_gid_map" >/proc/$$/gid_map
    "$cx_write" '%s\n' "$cx_uid_map" >/proc/$$/uid_map
  ) </dev/null >/dev/null &
)
cx_keep=
if [ "$cx_subids" ]; then
  # The right to become one of the mapped ids, which outside newuidmap(1) has by being setuid root. Root is none of them.
  cx_find setpriv
  set -- "$cx_found" --inh-caps=-all,+setuid,+setgid --ambient-caps=-all,+setuid,+setgid -- "$@"
  cx_keep=--keep-caps
fi
cx_find sleep
set -- "$cx_unshare" --user $cx_keep /bin/sh -c \
  'cx_count=0
  until read -r cx_map </proc/self/uid_map; do
    cx_count=$((cx_count + 1))
    [ $cx_count -lt 2000 ] || { echo "cvmfsexec: cannot map the ids of the user in the namespace of the command" >&2; exit 125; }
    "$0" 0.002
  done
  exec "$@"' "$cx_found" "$@"
