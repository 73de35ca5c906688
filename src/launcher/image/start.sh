# Becomes the command inside an image, in place of starter.sh, when all repositories are mounted. Runs in a mount namespace
# of its own, since the server needs the host's files where they are. The image's new root is built at $cx_base/root,
# moved on top of the old one, and entered by nsenter(1), which is loaded by then: the image may have any libc. Who is in
# the topmost mount is not chrooted for the kernel and may make user namespaces (containers).
# shellcheck shell=sh
unset -f cd kill read printf wait command ulimit test 2>/dev/null
cx_lib=$1 cx_node=$2 cx_stdin=$3 cx_pidns=$4 cx_userns=$5 cx_uid=$6 cx_gid=$7 cx_shut=$8 cx_pwd=$9
shift 9
cx_assignments=$1 cx_seen=$2 cx_env_OLDPWD=$3 cx_by_hand=$4 cx_names=$5 cx_keeper=$6 cx_pipe=$7 cx_overlay_engine=$8 cx_fuse_overlayfs=$9
shift 9
cx_image_options=$1 cx_subids=$2 cx_uid_map=$3 cx_gid_map=$4
shift 4
cx_name=cvmfsexec
cx_home=${cx_lib%/src/launcher}
. "$cx_lib/programs.sh"
cx_guard_end 2
. "$cx_lib/find-node.sh"
. "$cx_lib/quoting.sh"
. "$cx_lib/lookup.sh"
. "$cx_lib/offer.sh"
. "$cx_lib/overlay/mount.sh"
. "$cx_lib/overlay/fuse.sh"
. "$cx_lib/image/options.sh"
. "$cx_lib/image/lookup.sh"
. "$cx_lib/image/paths.sh"
. "$cx_lib/image/root.sh"
. "$cx_lib/image/binds.sh"
. "$cx_lib/image/account.sh"
. "$cx_lib/image/command.sh"
. "$cx_lib/image/oci.sh"
. "$cx_lib/image/user.sh"

# A directory that every kernel has and nobody needs: see root.sh.
cx_base=/proc/fs

cx_add_system_path # the command gets another one
cx_umask=$(umask)
umask 022
cx_lib=$(cd -P -- "$cx_lib" && pwd -P && echo .)
cx_lib=${cx_lib%??}
eval "cx_read_image_options $cx_image_options"
cx_find_image
cx_find mount || cx_die "no program 'mount' found: install util-linux"
cx_mount=$cx_found
cx_find nsenter || cx_die "no program 'nsenter' found: install util-linux"
cx_enter=$cx_found cx_below=.
# Newer ones (util-linux 2.42) refuse to enter a root and no namespace; unshare(1) does that, but for older ones.
[ "$cx_userns" ] && [ ! "$cx_subids" ] || {
  cx_find unshare
  ! "$cx_found" --root=/ --wd=/ --version >/dev/null 2>&1 || cx_enter=$cx_found cx_below=
}
cx_mount_image
cx_plan_binds
[ "$cx_subids" ] || cx_hold_user_namespace
cx_build_root
cx_view=$cx_base/root
cx_offer_requests
cx_choose_directory
cx_choose_command "$@"
# Before the root is moved: whoever is left at the old one may make no user namespace.
[ ! "$cx_userns" ] || [ "$cx_subids" ] || cx_await_user_namespace

cd "$cx_view" || cx_die 'cannot enter the new root'
cx_words='' cx_more=
if [ "$cx_subids" ]; then
  . "$cx_lib/image/subids.sh"
  cx_choose_way
  cx_move_root_later
else
  "$cx_mount" -n --move . / 2>/dev/null || cx_die "cannot make the image the root"
fi
umask "$cx_umask"
eval "exec <&$cx_stdin $cx_stdin<&-"
if [ "$cx_seen" ]; then
  case $cx_seen in *' PWD '*) PWD=$cx_directory ;; *) unset PWD ;; esac
  case $cx_seen in *' OLDPWD '*) OLDPWD=$cx_env_OLDPWD ;; *) unset OLDPWD ;; esac
fi
eval "set -- $cx_command"
set -- --root=. --wd="$cx_below${cx_start:-/}" -- "$@"
[ ! "$cx_userns" ] || [ "$cx_subids" ] || set -- --user="/proc/$cx_holder/ns/user" --preserve-credentials "$@"
cx_find env
eval "set -- $cx_words \"\$cx_found\" $cx_environment $cx_more \"\$cx_enter\" \"\$@\""
for cx_fd in $cx_shut; do eval "exec $cx_fd<&-"; done
exec "$@"
