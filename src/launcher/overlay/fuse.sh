# fuse-overlayfs, where the kernel has no overlays for users. Sourced by mount.sh's users with it.
# shellcheck shell=sh

# Mounts what mount.sh has prepared (cx_lower, cx_upper, cx_target).
cx_mount_fuse_overlay() {
  if [ "$cx_fuse_overlayfs" ]; then
    case $cx_fuse_overlayfs in /*) cx_found=$cx_fuse_overlayfs ;; *) cx_found=$cx_pwd/$cx_fuse_overlayfs ;; esac
    [ -x "$cx_found" ] && [ ! -d "$cx_found" ] || {
      cx_why="$cx_found is not a program (--fuse-overlayfs)"
      return 1
    }
  else
    cx_find fuse-overlayfs || {
      cx_why="no program 'fuse-overlayfs' found: install it, or name it with --fuse-overlayfs"
      return 1
    }
  fi
  cx_need_place || return
  command mkdir "$cx_overlay_base/merged" || return
  # Its end: the keeper closes stdout.
  cx_why=$(cx_keep_fuse_overlay "$cx_found" &)
  case $cx_why in
    *serving) ;;
    *)
      cx_why="fuse-overlayfs failed: ${cx_why:-it does not answer}"
      cx_why=${cx_why%%"
"*}
      return 1
      ;;
  esac
  # Built aside: it must not look up its lower directory through itself.
  "$cx_mount" -n --move "$cx_overlay_base/merged" "$cx_target" || {
    cx_why="cannot move the overlay to $cx_target"
    return 1
  }
}

# Runs fuse-overlayfs (program $1) and stays as its parent. Prints `serving`, or what is wrong. It gets a mounted
# descriptor, so it needs neither rights nor a helper with rights.
cx_keep_fuse_overlay() {
  # Inherited: of what is sent to the whole job it must not die either.
  trap '' 1 2 3 10 12 15 20 21 22
  exec 3<>/dev/fuse 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- </dev/null
  cx_merged=$cx_overlay_base/merged
  "$cx_mount" -n -i -t fuse.fuse-overlayfs -o "fd=3,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,nosuid,nodev" \
    fuse-overlayfs "$cx_merged" 2>&1 || return
  # What a killed job wrote is in an upper that is kept: no writing back later.
  [ ! "$cx_changes" ] || cx_upper=$cx_upper,writeback=0
  # noacl: the repository has no lists of access rights, and asked for them it says so, which fuse-overlayfs passes on as an
  # error. It goes by paths, too: in its own mount namespace they stay as they are now.
  cx_find unshare
  "$cx_found" --mount "$1" -f -o "lowerdir=$cx_lower$cx_upper,noacl" /dev/fd/3 >/dev/null 2>"$cx_overlay_base/messages" &
  cx_child=$!
  exec 3<&-
  # A mount whose server has ended gives errors; one that hangs is not waited for.
  cx_find timeout
  if ${cx_found:+"$cx_found" -s KILL 20} stat "$cx_merged/." >/dev/null 2>&1; then
    echo serving
  else
    kill -9 $cx_child 2>/dev/null
    while read -r cx_line; do
      case $cx_line in 'unknown argument ignored'*) ;; *) echo "$cx_line" ;; esac
    done <"$cx_overlay_base/messages"
    exit 125
  fi
  exec >/dev/null
  wait $cx_child 2>/dev/null
  cx_status=$?
  [ $cx_status = 0 ] ||
    printf '%s: the overlay on %s ended (fuse-overlayfs: status %s): what uses it gets errors\n' \
      "${cx_name:-cvmfsexec}" "$cx_target" $cx_status >&2
}
