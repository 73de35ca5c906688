# The caller's ids in the command's user namespace, where `unshare` has no --map-user: the kernel lets a process of the
# outer namespace write the maps. Sourced by starter.sh; prepends to "$@" what makes the namespace and waits for the maps.
# shellcheck shell=sh

# Not a child of the command: forked twice, adopted by init.
(
  (
    # In this subshell $$ is still the starter, which becomes the command.
    while [ /proc/$$/ns/user -ef /proc/"$PPID"/ns/user ]; do command sleep 0.002; done
    { echo deny >/proc/$$/setgroups; } 2>/dev/null # older kernels do not have it
    echo "$cx_gid 0 1" >/proc/$$/gid_map
    echo "$cx_uid 0 1" >/proc/$$/uid_map
  ) </dev/null >/dev/null &
)
set -- "$cx_unshare" --user /bin/sh -c 'until read -r cx_map </proc/self/uid_map; do sleep 0.002; done; exec "$@"' sh "$@"
