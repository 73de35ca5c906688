# Builds the root of the command from the files of an image. Sourced by start.sh. Everything lies in a tmpfs at $cx_base,
# which only this mount namespace has and which goes with it:
#
#   root     the new root
#   upper    what an overlay adds to the image, and `work` beside it
#   under    the new root's own directories where no overlay can be had (an underlay)
#   own      what we bind into the root: passwd, group, fresh directories
# shellcheck shell=sh

# Makes that place. Sets cx_view to where the files of the image can be looked at, and cx_made to where directories can be
# made that are to be in the new root.
cx_mount_image() {
  "$cx_mount" -n -t tmpfs -o mode=0755,nosuid,nodev cvmfsexec "$cx_base" || cx_die "cannot mount a tmpfs on $cx_base"
  command mkdir "$cx_base/root" "$cx_base/upper" "$cx_base/work" "$cx_base/under" "$cx_base/own" ||
    cx_die "cannot make directories in $cx_base"
  if [ "$cx_image_layers" ]; then
    cx_mount_layers
    cx_view=$cx_base/root cx_made=$cx_base/root
  else
    cx_view=$cx_image_tree cx_made=$cx_base/upper
  fi
}

# Mounts the planned root. First as an overlay; without one, the image's parts are bound into a tmpfs.
cx_build_root() {
  cx_parts=
  if [ "$cx_image_layers" ]; then
    cx_make_targets || cx_die 'cannot make the places to mount upon in the image'
  else
    cx_show_tree
  fi
  printf %s "$cx_parts$cx_lines" >"$cx_base/fstab"
  cx_errors=$("$cx_mount" -n -a -T "$cx_base/fstab" 2>&1) || {
    cx_errors=${cx_errors#mount: "$cx_base/root"}
    cx_die "cannot mount into the image: ${cx_errors%%
*}"
  }
  # The bind must not contain what is built below /proc.
  [ ! "$cx_proc" ] || {
    "$cx_mount" -n --make-unbindable "$cx_base" && "$cx_mount" -n --rbind /proc "$cx_base/root$cx_proc"
  } || cx_die 'cannot bind /proc'
}

# Makes the directories and files to mount upon that the image lacks. What an overlay's upper directory has from the
# beginning needs no rights over the image.
cx_make_targets() {
  [ "$cx_directories$cx_files" ] || return 0
  set --
  eval "for cx_word in $cx_directories; do set -- \"\$@\" \"\$cx_made\$cx_word\"; done"
  [ $# = 0 ] || command mkdir -p -- "$@" 2>/dev/null || return
  eval "set -- $cx_files"
  for cx_word; do
    # Only ever a link of the image's, of which this is a copy: see cx_bind_localtime.
    [ ! -h "$cx_made$cx_word" ] || command rm -f -- "$cx_made$cx_word" || return
    { command : >"$cx_made$cx_word"; } 2>/dev/null || return
  done
}

# Shows one tree at the new root: by the kernel's overlay, by fuse-overlayfs, or else part by part.
cx_show_tree() {
  cx_make_targets || cx_die 'cannot make the places to mount upon'
  case $cx_overlay_engine in
    fuse) ;;
    *) cx_overlay_image && return ;;
  esac
  case $cx_overlay_engine in
    kernel) ;;
    *)
      cx_quote_lower "$cx_image_tree"
      cx_overlay_by_fuse "$cx_quoted" "$cx_base" && return
      ;;
  esac
  [ "$cx_overlay_engine" = auto ] ||
    cx_die "--overlay-engine $cx_overlay_engine: no overlay for the image${cx_why:+: $cx_why}"
  cx_made=$cx_base/under
  cx_bind_parts
  cx_make_targets || cx_die 'cannot make the places to mount upon'
}

# Of directories $1, with colons between them, topmost first; what is added is in $2/upper, if $2 is there. In a subshell, with variables of its own.
cx_overlay_by_fuse() {
  command mkdir "$cx_base/fuse" || return
  cx_why=$(
    cx_overlay_engine=fuse cx_overlay_base=$cx_base/fuse
    cx_mount_overlay "$1" "$cx_base/root" ${2+"$2"} || { printf %s "$cx_why" && exit 1; }
  )
}

cx_overlay_image() {
  cx_overlay_base=$cx_base cx_building=1 cx_binds=0
  cx_name_for_options "$cx_image_tree" || return
  LIBMOUNT_FORCE_MOUNT2=always "$cx_mount" -n -t overlay cvmfsexec "$cx_base/root" \
    -o "nosuid,nodev,userxattr,lowerdir=$cx_named,upperdir=$cx_base/upper,workdir=$cx_base/work" 2>/dev/null
}

# Plans the binds of an underlay: every entry of the image's root, and where something is missing below one of them,
# every entry of that one instead. The image itself is read-only.
cx_bind_parts() {
  cx_escape "$cx_made"
  cx_parts="$cx_escaped $cx_base/root none bind 0 0
"
  cx_keep_flags "$cx_image_tree"
  cx_part_options=rbind,ro,nosuid,nodev$cx_flags
  cx_split=' ' cx_words=
  eval "set -- $cx_directories $cx_files"
  for cx_word; do
    cx_parent=
    while cx_word=${cx_word#/}; do
      cx_parent=$cx_parent/${cx_word%%/*}
      case $cx_word in */*) cx_word=${cx_word#*/} ;; *) break ;; esac
      [ -d "$cx_image_tree$cx_parent" ] || break
      cx_quote "$cx_parent"
      case $cx_split in *" $cx_quoted "*) ;; *) cx_split="$cx_split$cx_quoted " ;; esac
    done
  done
  cx_split_part ''
  eval "set -- $cx_split"
  for cx_word; do cx_split_part "$cx_word"; done
}

# Plans the binds of what is in directory $1 of the image, which is a directory of our own.
cx_split_part() {
  [ -d "$cx_made$1" ] || command mkdir "$cx_made$1" || cx_die 'cannot make the directories of an underlay'
  cx_links='' cx_made_directories=
  for cx_entry in "$cx_image_tree$1"/* "$cx_image_tree$1"/.[!.]* "$cx_image_tree$1"/..?*; do
    cx_word=$1/${cx_entry##*/}
    if [ -h "$cx_entry" ]; then
      cx_quote "$cx_entry"
      cx_links="$cx_links $cx_quoted"
      continue
    elif [ -d "$cx_entry" ]; then
      cx_quote "$cx_made$cx_word"
      cx_made_directories="$cx_made_directories $cx_quoted"
      cx_quote "$cx_word"
      case $cx_split in *" $cx_quoted "*) continue ;; esac
    elif [ -e "$cx_entry" ]; then
      command : >"$cx_made$cx_word"
    else
      continue
    fi
    cx_escape "$cx_entry"
    cx_from=$cx_escaped
    cx_escape "$cx_base/root$cx_word"
    cx_parts="$cx_parts$cx_from $cx_escaped none $cx_part_options 0 0
"
  done
  [ ! "$cx_made_directories" ] || eval "command mkdir -- $cx_made_directories" ||
    cx_die 'cannot make the directories of an underlay'
  [ ! "$cx_links" ] || eval "command cp -P -- $cx_links \"\$cx_made\$1/\"" || cx_die 'cannot copy the links of the image'
}
# A hub keeps whiteouts as they are in layers, files .wh.NAME, which only fuse-overlayfs understands.
cx_mount_layers() {
  cx_overlay_by_fuse "$cx_image_layers" ||
    cx_die "image $cx_image is there only in layers, and they cannot be put together: $cx_why"
}
