# Overlays: directories that can be written to on top of directories that cannot. Sourced by whoever has the rights of the
# mount namespace; needs programs.sh. How it behaves: docs/overlays.md.
# shellcheck shell=sh

# For building things: see root.sh. It is uncovered again before a function here returns.
cx_overlay_base=/proc/fs

# cx_mount_overlay LOWER MOUNTPOINT [DIR [ro]]
#
# LOWER: absolute paths of directories, the topmost first, `:` between them; a colon or backslash that is part of a name
# has a backslash before it (cx_quote_lower). What is changed goes to DIR/upper, with `ro` that is only shown; without DIR
# it goes to a tmpfs that nobody else sees and that ends with the mount. An upper of two jobs is refused: the lock is held
# by this process, as cx_held tells.
# From words.sh: cx_overlay_engine, cx_fuse_overlayfs. Returns false, with the reason in cx_why, if it cannot be.
cx_mount_overlay() {
  cx_target=$2 cx_changes=${3-} cx_mode=${4-} cx_why='' cx_building='' cx_kept_engine='' cx_binds=0
  cx_find mount || cx_why="no program 'mount' found: install util-linux"
  cx_mount=$cx_found
  cx_list_lower "$1" && cx_prepare_upper && cx_mount_by_engine
  cx_status=$?
  if [ "$cx_building" ]; then
    cx_find umount
    "$cx_found" -n -l "$cx_overlay_base"
  fi
  return $cx_status
}

# Sets cx_quoted to path $1 as one directory of LOWER.
cx_quote_lower() {
  cx_quoted='' cx_rest=$1
  while :; do
    case $cx_rest in
      *[:\\]*)
        cx_next=${cx_rest%%[:\\]*}
        cx_rest=${cx_rest#"$cx_next"}
        cx_quoted=$cx_quoted$cx_next\\${cx_rest%"${cx_rest#?}"}
        cx_rest=${cx_rest#?}
        ;;
      *) break ;;
    esac
  done
  cx_quoted=$cx_quoted$cx_rest
}

# A private tmpfs at $cx_overlay_base, for as long as the overlay is being made.
cx_need_place() {
  [ ! "$cx_building" ] || return 0
  "$cx_mount" -n -t tmpfs -o mode=0700,nosuid,nodev cvmfsexec "$cx_overlay_base" || {
    cx_why="cannot mount a tmpfs on $cx_overlay_base"
    return 1
  }
  cx_building=1
}

# Sets cx_named to a name for directory $1 that can stand in mount options: its own, or a bind mount of it. fuse-overlayfs
# resolves links, and takes what comes out for a list again.
cx_name_for_options() {
  cx_named=$1
  case $1 in *[!A-Za-z0-9._/+@%-]*) ;; *) return 0 ;; esac
  cx_need_place || return
  cx_binds=$((cx_binds + 1))
  cx_named=$cx_overlay_base/$cx_binds
  command mkdir "$cx_named" && "$cx_mount" -n --rbind -- "$1" "$cx_named" || {
    cx_why="cannot bind $1"
    return 1
  }
}

# Sets cx_lower to what `lowerdir=` is to be, cx_top to the topmost directory.
cx_list_lower() {
  cx_lower='' cx_top='' cx_path='' cx_layers=$1:
  while [ "$cx_layers" ]; do
    cx_next=${cx_layers%%[:\\]*}
    cx_path=$cx_path$cx_next
    cx_layers=${cx_layers#"$cx_next"}
    case $cx_layers in
      \\*)
        cx_layers=${cx_layers#?}
        cx_path=$cx_path${cx_layers%"${cx_layers#?}"}
        ;;
      *)
        [ -d "$cx_path" ] || {
          cx_why="there is no directory $cx_path"
          return 1
        }
        [ "$cx_top" ] || cx_top=$cx_path
        cx_name_for_options "$cx_path" || return
        cx_lower=$cx_lower${cx_lower:+:}$cx_named cx_path=
        ;;
    esac
    cx_layers=${cx_layers#?}
  done
}

# Sets cx_upper to the options that name upper and work directory, or puts the upper on top of cx_lower.
cx_prepare_upper() {
  cx_upper=
  if [ ! "$cx_changes" ]; then
    cx_need_place || return
    cx_uppers=$cx_overlay_base
    cx_make_upper
    return
  fi
  if [ "$cx_mode" ]; then
    [ -d "$cx_changes/upper" ] || {
      cx_why="there is no directory $cx_changes/upper: run a job without ':ro' first"
      return 1
    }
  else
    [ -d "$cx_changes" ] || command mkdir -m 700 -- "$cx_changes" 2>/dev/null || {
      cx_why="cannot make the directory $cx_changes"
      return 1
    }
  fi
  cx_lock_directory || return
  { read -r cx_kept_engine <"$cx_changes/engine"; } 2>/dev/null
  cx_name_for_options "$cx_changes" || return
  cx_uppers=$cx_named
  if [ "$cx_mode" ]; then
    cx_lower=$cx_named/upper:$cx_lower
  else
    cx_make_upper
  fi
}

# What is seen of the topmost directory itself (owner, mode) is the upper's.
cx_make_upper() {
  cx_upper=,upperdir=$cx_uppers/upper,workdir=$cx_uppers/work
  [ ! -d "$cx_uppers/upper/." ] || [ ! -d "$cx_uppers/work/." ] || return 0
  cx_bits=$(command stat -L -c %a -- "$cx_top" 2>/dev/null)
  command mkdir -p -m "${cx_bits:-755}" "$cx_uppers/upper" && command mkdir -p -m 700 "$cx_uppers/work" || {
    cx_why="cannot write to ${cx_changes:-$cx_overlay_base}"
    return 1
  }
}

# One job that writes, or any number that only show it. The lock is that of an open file, and ends with the last process
# that has it: whoever sourced this stays for as long as the job does.
cx_lock_directory() {
  for cx_fd in 3 4 5 6 7 8 9 ''; do
    [ -h "/proc/self/fd/$cx_fd" ] || break
  done
  [ "$cx_fd" ] || {
    cx_why='too many directories at once: seven can be used'
    return 1
  }
  if [ ! "$cx_mode" ]; then
    { eval "command exec $cx_fd>>\"\$cx_changes/lock\""; } 2>/dev/null || {
      cx_why="cannot write to $cx_changes"
      return 1
    }
  else
    { eval "command exec $cx_fd<\"\$cx_changes/lock\""; } 2>/dev/null || return 0 # none has written with us
  fi
  cx_held=1
  cx_find flock || {
    cx_why="no program 'flock' found: install util-linux"
    return 1
  }
  if [ "$cx_mode" ]; then cx_kind=-s; else cx_kind=-x; fi
  cx_said=$("$cx_found" -n $cx_kind "$cx_fd" 2>&1) && return
  cx_why="$cx_changes is in use by another job: give each its own directory, or wait for that job"
  [ ! "$cx_said" ] || cx_why="cannot lock $cx_changes/lock (${cx_said##*: }): use a directory on another file system"
  return 1
}

cx_mount_by_engine() {
  case $cx_overlay_engine in
    auto | "${cx_kept_engine:-$cx_overlay_engine}") cx_engine=${cx_kept_engine:-$cx_overlay_engine} ;;
    *)
      cx_why="$cx_changes was written by the other engine: it needs --overlay-engine $cx_kept_engine"
      return 1
      ;;
  esac
  case $cx_engine in
    kernel)
      cx_mount_kernel_overlay && { cx_note_engine kernel; return; }
      cx_why="the kernel refuses an overlay here ($cx_refusal): use --overlay-engine fuse"
      [ ! "$cx_kept_engine" ] || cx_why="$cx_changes was written by the kernel's overlay, which is refused here ($cx_refusal)"
      ;;
    fuse) cx_mount_fuse_overlay && { cx_note_engine fuse; return; } ;;
    auto)
      cx_mount_kernel_overlay && { cx_note_engine kernel; return; }
      cx_mount_fuse_overlay && { cx_note_engine fuse; return; }
      cx_why="$cx_why (the kernel refuses an overlay here: $cx_refusal)"
      ;;
    *) cx_why="unknown engine $cx_engine" ;;
  esac
  return 1
}

# Each of the two leaves marks in the upper that the other does not understand.
cx_note_engine() {
  [ "$cx_changes" ] && [ ! "$cx_mode" ] && [ ! "$cx_kept_engine" ] || return 0
  { echo "$1" >"$cx_changes/engine"; } 2>/dev/null || {
    cx_why="cannot write to $cx_changes: is the disk full?"
    return 1
  }
}

# Also a trial: where it is refused, or could not remember all that may happen, it is not there afterwards. The newer way
# to mount takes no option of more than 255 bytes.
cx_mount_kernel_overlay() {
  cx_refusal='no attributes user.* in the upper directory'
  cx_has_attributes || return
  if cx_refusal=$(LIBMOUNT_FORCE_MOUNT2=always "$cx_mount" -n -t overlay -o "lowerdir=$cx_lower$cx_upper,userxattr" overlay "$cx_target" 2>&1); then
    # The kernel makes it with mode 000: its owner is to be able to remove it.
    [ ! "$cx_changes" ] || [ "$cx_mode" ] || command chmod 700 "$cx_uppers/work/work" 2>/dev/null
    return 0
  fi
  cx_refusal=${cx_refusal%%,*} cx_refusal=${cx_refusal##*: }
  return 1
}

# A directory made in the place of a deleted one is marked by an attribute user.* in the upper. A tmpfs has them since
# Linux 6.6; elsewhere it is tried, once for each directory.
cx_has_attributes() {
  [ ! "$cx_mode" ] && [ "$cx_kept_engine" != kernel ] || return 0
  if [ ! "$cx_changes" ]; then
    read -r cx_release </proc/sys/kernel/osrelease
    cx_major=${cx_release%%.*} cx_minor=${cx_release#*.}
    cx_minor=${cx_minor%%[!0-9]*}
    [ $((cx_major * 1000 + cx_minor)) -lt 6006 ] || return 0
  fi
  cx_trial=$cx_uppers/trial
  command mkdir -p "$cx_trial/lower/made" "$cx_trial/upper" "$cx_trial/work" "$cx_trial/merged" || return
  cx_status=1
  if "$cx_mount" -n -t overlay -o "lowerdir=$cx_trial/lower,upperdir=$cx_trial/upper,workdir=$cx_trial/work,userxattr" \
    overlay "$cx_trial/merged" 2>/dev/null; then
    command rmdir "$cx_trial/merged/made" 2>/dev/null && command mkdir "$cx_trial/merged/made" 2>/dev/null
    cx_status=$?
    cx_find umount
    "$cx_found" -n "$cx_trial/merged"
  else
    cx_status=0 # it is refused for other reasons, which the real one will tell
  fi
  command rm -rf "$cx_trial"
  return $cx_status
}
