# Becomes the command, when the server has written `ready` to stdin. Everything that the command needs and that takes time
# is found out before that.
# shellcheck shell=sh
unset -f cd kill read printf wait command ulimit test 2>/dev/null
cx_lib=$1 cx_stdin=$2 cx_spare=$3 cx_userns=$4 cx_uid=$5 cx_gid=$6 cx_shut=$7 cx_pwd=$8 cx_image_options=$9
shift 9
cx_node=$1 cx_pidns=$2 cx_propagation=$3 cx_names=$4 cx_overlay_engine=$5 cx_fuse_overlayfs=$6
shift 6
cx_name=cvmfsexec
. "$cx_lib/programs.sh"
cx_guard_end 2
. "$cx_lib/lookup.sh"
. "$cx_lib/offer.sh"
. "$cx_lib/caller-environment.sh"

# --- The environment: what the shells on the way made of it (see environment.sh), and what they added.
eval "cx_compare_environment <&$cx_spare"
eval "exec $cx_spare<&-"

# --- The way back to the caller's ids: a user namespace of its own for the command, without rights over the mounts.
# The options are of util-linux 2.36; without them the maps are written by hand.
cx_find unshare
cx_unshare=$cx_found
cx_by_hand=
[ ! "$cx_userns" ] || "$cx_unshare" --map-user="$cx_uid" --map-group="$cx_gid" --version >/dev/null 2>&1 || cx_by_hand=1
# Further ids (--map-subids) go along, each under the number it has.
cx_uid_map="$cx_uid 0 1" cx_gid_map="$cx_gid 0 1" cx_subids=
if [ "$cx_userns" ]; then
  while read -r cx_first cx_value cx_count; do
    [ "$cx_first" = 0 ] || cx_subids=1 cx_by_hand=1 cx_uid_map="$cx_uid_map
$cx_first $cx_first $cx_count"
  done </proc/self/uid_map
  [ ! "$cx_subids" ] || while read -r cx_first cx_value cx_count; do
    [ "$cx_first" = 0 ] || cx_gid_map="$cx_gid_map
$cx_first $cx_first $cx_count"
  done </proc/self/gid_map
fi

read -r cx_line cx_keeper cx_pipe || exit 125
[ "$cx_line" = ready ] || exit 125

[ ! "$cx_image_options" ] ||
  exec "$cx_unshare" --mount ${cx_propagation:+--propagation "$cx_propagation"} /bin/sh "$cx_lib/image/start.sh" "$cx_lib" \
    "$cx_node" "$cx_stdin" "$cx_pidns" "$cx_userns" "$cx_uid" "$cx_gid" "$cx_shut" "$cx_pwd" "$cx_assignments" \
    "$cx_seen" "$cx_env_OLDPWD" "$cx_by_hand" "$cx_names" "$cx_keeper" "$cx_pipe" \
    "$cx_overlay_engine" "$cx_fuse_overlayfs" "$cx_image_options" "$cx_subids" "$cx_uid_map" "$cx_gid_map" "$@"
[ $# -gt 0 ] || set -- "${SHELL:-/bin/sh}"

# --- By path: the directory that we are in belongs to the root as it was before.
{ [ "$cx_pwd" ] && cd -- "$cx_pwd"; } 2>/dev/null ||
  printf '%s: cannot enter %s: the command is started in /\n' "$cx_name" "${cx_pwd:-the current directory}" >&2
cx_restore_directories
cx_look_up "$1"

# --- Always by `unshare`, also where it has nothing to do: env would take a command with `=` in its name for a variable.
eval "exec <&$cx_stdin $cx_stdin<&-"
cx_offer_requests
if [ "$cx_userns" ] && [ ! "$cx_by_hand" ]; then
  set -- --map-user="$cx_uid" --map-group="$cx_gid" -- "$@"
  set -- "$cx_unshare" --user "$@"
else
  set -- "$cx_unshare" -- "$@"
fi
[ ! "$cx_assignments" ] || {
  cx_find env
  eval "set -- \"\$cx_found\" $cx_assignments \"\$@\""
}
[ ! "$cx_by_hand" ] || . "$cx_lib/map-by-hand.sh"
for cx_fd in $cx_shut; do eval "exec $cx_fd<&-"; done
exec "$@"
