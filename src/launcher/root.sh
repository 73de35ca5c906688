# Makes /cvmfs a place to mount upon, seen by this job only. Sourced by init; done by the server's parent while that starts.
# Each step needs the rights that the mount namespace gives; what is called "the host" is the file system as the caller
# sees it.
# shellcheck shell=sh

# Where the new file system is built: a directory that every kernel has, that nobody needs, and that is uncovered again
# when what was built is moved to its place.
cx_base=/proc/fs

# Returns when it is done; else says what went wrong and has init end the job.
cx_set_up_root() {
  cx_find mount || cx_root_failed "no program 'mount' found: install util-linux"
  cx_mount=$cx_found # -n: root must not write about our mounts into the host's table
  # --- An `unshare` without --propagation leaves our mounts shared with the host, if root runs it.
  [ "$cx_propagation" ] || "$cx_mount" -n --make-rslave / 2>/dev/null
  cx_parse_words "$@"
  cx_replaced=
  [ ! "$cx_scratch" ] || [ -d /e2fs ] || cx_replaced=1
  [ -d /cvmfs ] && cx_own=e2fs || cx_own=cvmfs cx_replaced=1
  [ ! "$cx_replaced" ] || cx_replace_root
  [ "$cx_own" = cvmfs ] || cx_cover_cvmfs
}

cx_root_failed() {
  [ ! "$1" ] || printf '%s: %s\n' "$cx_name" "$1" >&2
  kill -61 "$cx_init"
  command sleep 10 # init ends this
  exit 125
}

# The host has a /cvmfs: an empty tmpfs on top of it, with the repositories that the host has mounted there, but for
# those that were asked for. Mode 0555: the command, being nobody special, cannot write there; the server can.
cx_cover_cvmfs() {
  # /proc of our pid namespace. Refused where parts of /proc are covered, as in most containers: then the keeper tries
  # again without a pid namespace, and this must not have started anything.
  [ ! "$cx_pidns" ] || [ "$cx_replaced" ] || "$cx_mount" -n -t proc proc /proc 2>/dev/null || cx_root_failed ''
  cx_host_repositories
  if [ ! "$cx_lines" ]; then
    "$cx_mount" -n -t tmpfs -o mode=0555,nosuid,nodev cvmfsexec /cvmfs || cx_root_failed 'cannot mount a tmpfs on /cvmfs'
    return
  fi
  "$cx_mount" -n -t tmpfs -o mode=0755,nosuid,nodev --make-unbindable cvmfsexec $cx_base ||
    cx_root_failed "cannot mount a tmpfs on $cx_base"
  eval "command mkdir $cx_directories"
  cx_bind_all
  command rm $cx_base/.fstab
  command chmod 0555 $cx_base
  "$cx_mount" -n --move $cx_base /cvmfs && "$cx_mount" -n --make-private /cvmfs ||
    cx_root_failed 'cannot move the new mounts to /cvmfs'
}

# Sets cx_lines (fstab) and cx_directories (quoted words) to the host's mounts /cvmfs/NAME whose NAME is not asked for.
# mountinfo: field 5 is the mount point.
cx_host_repositories() {
  cx_lines='' cx_directories=''
  while read -r cx_1 cx_2 cx_3 cx_4 cx_point cx_rest; do
    case $cx_point in
      /cvmfs/*[!A-Za-z0-9._-]*) ;;
      /cvmfs/?*)
        case $cx_names$cx_directories in *" ${cx_point#/cvmfs/} "* | *"$cx_base/${cx_point#/cvmfs/} "*) continue ;; esac
        cx_add_line "$cx_point" "$cx_base/${cx_point#/cvmfs/}"
        cx_directories="$cx_directories$cx_base/${cx_point#/cvmfs/} "
        ;;
    esac
  done </proc/self/mountinfo
}

# The host has no /cvmfs (or no /e2fs, with -m), and its root cannot be written to: a tmpfs becomes the root, into which every
# entry of the host's root is bound, with all that is mounted below. Mode 0555: nobody writes to the root of a machine.
# $cx_own: the new directory that serves as work place meanwhile.
cx_replace_root() {
  # --- Without a pid namespace /proc is bound as well, and the bind must not contain what is being built in it.
  if [ "$cx_pidns" ]; then cx_bindable=''; else cx_bindable=--make-unbindable; fi
  # shellcheck disable=SC2086 # an option or nothing
  "$cx_mount" -n -t tmpfs -o mode=0555,nosuid,nodev $cx_bindable cvmfsexec $cx_base ||
    cx_root_failed "cannot mount a tmpfs on $cx_base"
  cx_lines='' cx_directories="$cx_base/$cx_own " cx_links=
  [ ! "$cx_scratch" ] || [ -d /e2fs ] || [ "$cx_own" = e2fs ] || cx_directories="$cx_directories$cx_base/e2fs "
  for cx_entry in /* /.[!.]* /..?*; do
    if [ -h "$cx_entry" ]; then
      cx_quote "$cx_entry"
      cx_links="$cx_links$cx_quoted "
    elif [ -d "$cx_entry" ]; then
      cx_quote "$cx_base$cx_entry"
      cx_directories="$cx_directories$cx_quoted "
      [ "$cx_entry$cx_pidns" = /proc1 ] || cx_add_line "$cx_entry" "$cx_base$cx_entry"
    elif [ -f "$cx_entry" ]; then
      : >"$cx_base$cx_entry"
      cx_add_line "$cx_entry" "$cx_base$cx_entry"
    fi # sockets, pipes and devices have no business there
  done
  eval "command mkdir $cx_directories" || cx_root_failed 'cannot build the new root'
  # Links are copied as they are: they may point anywhere.
  [ ! "$cx_links" ] || eval "command cp -P $cx_links $cx_base/"
  [ ! "$cx_pidns" ] || cx_lines="${cx_lines}proc $cx_base/proc proc defaults 0 0
"
  # It covers the list of the mounts.
  cx_lines="${cx_lines}cvmfsexec $cx_base/$cx_own tmpfs mode=0555,nosuid,nodev 0 0
"
  [ "$cx_own" != cvmfs ] || cx_add_repositories $cx_base/cvmfs
  cx_bind_all "/$cx_own"
  # /proc of our pid namespace is refused where parts of /proc are covered, as in most containers: then the keeper tries
  # again without a pid namespace, and this must not have started anything.
  [ -e $cx_base/proc/self/status ] || cx_root_failed ''
  # --- The new root takes the place of the old, which goes to $cx_own for a moment: the only directory that is ours.
  cd $cx_base || cx_root_failed "cannot enter $cx_base"
  cx_await_forks
  cx_pivot_root . "$cx_own" || cx_root_failed 'cannot change the root (pivot_root); an empty directory /cvmfs on this host helps'
  cd /
  # Lazily: processes of this job still stand in it.
  cx_find umount
  "$cx_found" -n -l "/$cx_own" || cx_root_failed 'cannot unmount the old root'
  # --- Root would not be stopped by the mode; and bindable again, for what the job mounts itself (containers).
  [ "$cx_userns$cx_pidns" = 11 ] || "$cx_mount" -n -o remount,bind,ro,private / ||
    cx_root_failed 'cannot make the new root read-only'
}

# Does all the binds in one process: with one each they would take five times as long. -T wants a real file: it is written
# to directory $1 of what is built; the last mount covers /cvmfs, and with it the file there.
cx_bind_all() {
  printf %s "$cx_lines" >"$cx_base${1-}/.fstab"
  cx_errors=$("$cx_mount" -n -i -a -T "$cx_base${1-}/.fstab" 2>&1)
  case $? in
    0) ;;
    64) # some of them failed; that of /proc has its own consequence, and the server tries those of the repositories again
      while read -r cx_line; do
        case $cx_line in "mount: $cx_base/proc:"* | "mount: $cx_base/cvmfs/"*) ;; 'mount: '*) printf '%s: %s\n' "$cx_name" "$cx_line" >&2 ;; esac
      done <<.
$cx_errors
.
      ;;
    *) cx_root_failed "cannot bind the directories of the host: $cx_errors" ;;
  esac
}

# Adds the mounts of the repositories below $1, with the descriptors that are held for them (serve.sh): the server, which
# would do it else, need not start a mount(8). Not where a short name is among them, as only the server knows its domain.
# The options are those of src/launcher/fuse-mount.ts; the directory is made by X-mount.mkdir. With --auto what is mounted on
# /cvmfs then would cover them.
cx_add_repositories() {
  [ ! "$cx_auto" ] || return 0
  for cx_word in $cx_names; do
    case $cx_word in .*) return ;; *.*) ;; *) return ;; esac
  done
  cx_rest=${CVMFSEXEC_DESCRIPTORS-}
  for cx_word in $cx_names; do
    [ "$cx_rest" ] || return 0
    cx_lines="${cx_lines}cvmfs2 $1/$cx_word fuse fd=${cx_rest%% *},rootmode=40000,user_id=0,group_id=0,nosuid,nodev,ro,default_permissions,allow_other,X-mount.mkdir=0555 0 0
"
    cx_rest=${cx_rest#* }
  done
}

cx_add_line() {
  cx_escape "$1"
  cx_from=$cx_escaped
  cx_escape "$2"
  cx_lines="$cx_lines$cx_from $cx_escaped none rbind 0 0
"
}

# Waits until init has started its other processes. One that is being forked at the moment of pivot_root is missed by the
# kernel and left at the old root, where there is no /cvmfs and no user namespace can be made.
cx_await_forks() {
  cx_count=0
  while [ -h "$cx_forking" ] && [ $cx_count -lt 1000 ]; do
    cx_count=$((cx_count + 1))
    command sleep 0.005
  done
}

# Newer Debian has pivot_root in a package that hosts may lack (util-linux-extra).
cx_pivot_root() {
  if cx_find pivot_root; then
    "$cx_found" "$1" "$2"
  elif cx_find perl; then
    "$cx_found" -MConfig -e '
      my ($new, $old) = @ARGV;
      syscall($Config{archname} =~ /aarch64/ ? 41 : 155, $new, $old) == 0 or exit 1' "$1" "$2"
  elif cx_find busybox; then
    "$cx_found" pivot_root "$1" "$2"
  else
    cx_root_failed "no program 'pivot_root' found: install util-linux or util-linux-extra"
  fi
}
