# --map-subids: the subordinate ids of the caller (subuid(5), subgid(5)) are mapped in the job's user namespace, so that
# programs such as podman can make namespaces with several users in them. Sourced by the monitor.
# shellcheck shell=sh

# Sets cx_uid_ranges and cx_gid_ranges to words for newuidmap and newgidmap; complains when it cannot be done.
cx_find_subids() {
  cx_find newgidmap && cx_newgidmap=$cx_found && cx_find newuidmap && cx_newuidmap=$cx_found ||
    cx_die "--map-subids: no programs 'newuidmap' and 'newgidmap' found: install uidmap, or shadow-utils"
  "$cx_unshare" --keep-caps --map-user=0 --version >/dev/null 2>&1 ||
    cx_die '--map-subids: util-linux 2.36 or newer is needed'
  cx_user=
  ! cx_find id || cx_user=$("$cx_found" -un 2>/dev/null)
  cx_ranges_of '' /etc/subuid
  cx_uid_ranges=$cx_ranges
  cx_ranges_of -g /etc/subgid
  cx_gid_ranges=$cx_ranges
  [ "$cx_uid_ranges" ] && [ "$cx_gid_ranges" ] ||
    cx_die "--map-subids: ${cx_user:-user $cx_uid} has no range in /etc/subuid and /etc/subgid: ask the administrator for one"
}

# Sets cx_ranges to `FIRST FIRST COUNT ...`: each id has the same number inside as outside. getsubids (shadow 4.10) with option
# $1 knows of ranges that are not in file $2.
cx_ranges_of() {
  cx_ranges=
  if cx_find getsubids; then
    cx_lines=$("$cx_found" ${1:+"$1"} "${cx_user:-$cx_uid}" 2>/dev/null)
    while read -r cx_key cx_value cx_first cx_count cx_rest; do cx_add_range "$cx_first" "$cx_count"; done <<.
$cx_lines
.
    return
  fi
  while IFS=: read -r cx_key cx_first cx_count cx_rest; do
    case $cx_key in '') ;; "$cx_user" | "$cx_uid") cx_add_range "$cx_first" "$cx_count" ;; esac
  done 2>/dev/null <"$2"
}

cx_add_range() {
  case $1- in *[!0-9-]* | -* | 0-) return ;; esac
  case $2- in *[!0-9-]* | -* | 0-) return ;; esac
  cx_ranges="$cx_ranges $1 $1 $2"
}

# Starts a process that writes the maps of process $1 as soon as that has a user namespace of its own. Only from outside of it
# can that be done. If it fails, the process gets TERM: for the monitor that is a start that failed.
cx_write_maps_of() {
  # In two steps, so that it is nobody's child.
  (
    (
      cx_add_system_path
      cx_await_namespace_of "$1" || exit
      # shellcheck disable=SC2086 # words
      "$cx_newuidmap" "$1" 0 "$cx_uid" 1 $cx_uid_ranges && "$cx_newgidmap" "$1" 0 "$cx_gid" 1 $cx_gid_ranges ||
        kill "$1"
    ) </dev/null >/dev/null 2>&1 &
  )
}

cx_await_namespace_of() {
  cx_count=0
  while [ "/proc/$1/ns/user" -ef /proc/self/ns/user ]; do
    cx_count=$((cx_count + 1))
    [ $cx_count -lt 2000 ] || return 1
    command sleep 0.005
  done
  [ -e "/proc/$1/ns/user" ]
}

# Whether the maps can be written, after a job could not be started; complains if not.
cx_probe_subids() {
  cx_find sleep
  "$cx_unshare" --user "$cx_found" 10 >/dev/null 2>&1 &
  cx_process=$!
  cx_await_namespace_of $cx_process
  # shellcheck disable=SC2086 # words
  cx_message=$(
    "$cx_newuidmap" $cx_process 0 "$cx_uid" 1 $cx_uid_ranges 2>&1 &&
      "$cx_newgidmap" $cx_process 0 "$cx_gid" 1 $cx_gid_ranges 2>&1
  )
  cx_status=$?
  kill -9 $cx_process
  [ $cx_status = 0 ] || cx_die "--map-subids: the ids of /etc/subuid and /etc/subgid cannot be mapped ($cx_message)"
}
