# The two processes that init starts beside each other: the keeper of the server, and the command. Sourced by init.
# shellcheck shell=sh

# Starts the server, sets up the root beside its start, and stays as the server's parent. The descriptors of /dev/fuse are
# opened here and only held, never read: a server that is killed leaves the mounts as they are, those who use them wait,
# and the next server goes on where it was. It is told to by what it inherits:
#
#   stdin    of the first server: a pipe, `root DIRECTORY` when /cvmfs can be mounted upon, then what the job asks for from
#            inside (request.sh). Of all others: the journal, in which their predecessors noted what the kernel was told
#            (src/launcher/job-journal.ts); they have that pipe as descriptor 4
#   stdout   `ready` when all is mounted, and where that pipe is found
#   CVMFSEXEC_DESCRIPTORS  numbers of the descriptors of /dev/fuse, one a repository, then spare ones for those mounted later
#   CVMFSEXEC_STATUS       see status-handover.sh; only with --status-fd
#   CVMFSEXEC_RESTARTED    set for all but the first, and for one that a request has started (serve-later.sh)
#   CVMFSEXEC_SCRATCH      where a scratch image will be mounted when /cvmfs can be mounted upon
#
# A server that ends by SIGALRM has done its work, one that ends with 125 has explained itself. When this process ends,
# its descriptors are closed and those who wait for an answer get an error.
cx_serve() {
  # Node puts these back to default and the server catches them; this shell must not die of them either.
  trap '' 1 2 3 10 12 15 20 21 22
  # Only the words before `--`: rotated to the end, the rest shifted away.
  cx_count=0
  while [ $cx_count -lt "$cx_words" ]; do
    set -- "$@" "$1"
    shift
    cx_count=$((cx_count + 1))
  done
  shift $(($# - cx_words))
  [ ! "$cx_status_fd" ] || cx_hand_status_on
  for cx_fd in $cx_taken $cx_stdin $cx_spare; do eval "exec $cx_fd<&-"; done
  cx_clean_node_environment
  cx_add_system_path
  CVMFSEXEC_DIRECTORY=$cx_pwd CVMFSEXEC_CLOSE=${cx_close# }
  export CVMFSEXEC_DIRECTORY CVMFSEXEC_CLOSE CVMFSEXEC_DESCRIPTORS
  cd / || exit 125 # the caller's directory is not where it was once the root is changed
  cx_init=$$
  cx_hold_descriptors "$@"
  cx_keep_server "$@"
}

# Opens /dev/fuse once for each repository. 0 to 4 are for other uses, and sh can only name one digit. What has more
# repositories is done by a shell that can name more, bash on all systems where sh cannot; without one the server opens
# the rest for itself, and they end with it. For what is mounted from inside there are spare ones, which cost nothing: as
# many as this shell can name without asking; with --auto, one for the directory of all and as many as may well be used.
cx_hold_descriptors() {
  cx_guard_end 2 "$cx_init"
  CVMFSEXEC_DESCRIPTORS='' cx_fd=5 cx_open_files=
  cx_parse_words "$@"
  [ ! "$cx_scratch" ] || export CVMFSEXEC_SCRATCH=/e2fs
  cx_needed=0
  for cx_word in $cx_names; do cx_needed=$((cx_needed + 1)); done
  [ ! "$cx_auto" ] || cx_needed=$((cx_needed + 101))
  while [ $cx_needed -gt 0 ]; do
    cx_needed=$((cx_needed - 1))
    cx_pass_over_open
    if [ $cx_fd -ge 10 ] && [ $cx_fd -lt 20 ]; then
      (eval 'exec 20<>/dev/null' && [ -e /proc/self/fd/20 ]) 2>/dev/null || {
        cx_find bash || return
        CVMFSEXEC_DESCRIPTORS=
        export cx_name cx_home cx_lib cx_node cx_init cx_pidns cx_userns cx_propagation cx_forking
        exec "$cx_found" "$cx_lib/serve-many.sh" "$@"
      }
      cx_fd=20
    fi
    # With --auto they are spare ones, all but that of the directory and those of what is named.
    [ ! "$cx_auto" ] || [ $cx_needed -ge 100 ] || cx_may_hold_more || return 0
    cx_hold_one
  done
  [ "$cx_inside" ] || return 0
  cx_end=10
  [ ! "${BASH_VERSION-}" ] || cx_end=$((cx_fd + 20))
  while cx_pass_over_open && [ $cx_fd -lt $cx_end ]; do
    if [ $cx_fd -ge 10 ] && [ $cx_fd -lt 20 ]; then cx_fd=20 cx_end=40; fi
    cx_may_hold_more || return 0
    cx_hold_one
  done
}

# Whether there may be spare ones above: half of what the limit allows is for the server's other uses.
cx_may_hold_more() {
  [ "$cx_fd" -ge 10 ] || return 0
  [ "$cx_open_files" ] || cx_open_files=$(ulimit -n)
  [ "$cx_open_files" = unlimited ] || [ "$cx_fd" -lt $((cx_open_files / 2)) ]
}

# The caller's, and that of --status-fd.
cx_pass_over_open() {
  while [ -h "/proc/self/fd/$cx_fd" ]; do cx_fd=$((cx_fd + 1)); done
}

cx_hold_one() {
  cx_pass_over_open
  eval "command exec $cx_fd<>/dev/fuse" 2>/dev/null || {
    printf '%s: cannot open /dev/fuse as descriptor %s (`ulimit -n` allows %s)\n' "$cx_name" "$cx_fd" "$(ulimit -n)" >&2
    kill -61 "$cx_init"
    exit 125
  }
  CVMFSEXEC_DESCRIPTORS="$CVMFSEXEC_DESCRIPTORS$cx_fd "
  cx_fd=$((cx_fd + 1))
}

# stdin is a pipe that nobody writes to; this makes us the one who does, and who keeps it open for the job's requests.
cx_keep_server() {
  exec 4<>/proc/self/fd/0
  cx_later=
  [ "$cx_names$cx_auto" != ' ' ] || {
    . "$cx_lib/serve-later.sh"
    ! cx_can_serve_later "$@" || cx_later=1
    # As a server does it when the command has ended.
    [ ! "$cx_later" ] || trap 'kill -60 "$cx_init"; exit' URG
  }
  [ "$cx_later" ] || {
    cx_run_server "$@" </proc/self/fd/4 4>&- &
    cx_server=$!
  }
  cx_set_up_root "$@" --
  [ ! "$cx_scratch" ] || cx_mount_scratch
  # What is mounted from inside is to be seen in the image's mount namespace too.
  [ ! "$cx_image" ] || [ ! "$cx_inside" ] || "$cx_mount" -n --make-shared /cvmfs
  # This shell's own remark about a killed server would only confuse.
  exec 3>&2 2>/dev/null
  cx_guard_end 3 "$cx_init"
  # In the tmpfs that only this job sees. It has lost its name before the command is there.
  cx_journal=/cvmfs/.cvmfsexec-journal
  cx_time=
  [ ! "$cx_later" ] || cx_now
  printf 'serving %-13s\n' "$cx_time" >$cx_journal
  exec 0>>$cx_journal

  cx_failures=0 cx_seen=$cx_time cx_serving=
  read -r cx_self cx_line </proc/self/stat
  trap : 59
  CVMFSEXEC_RESTARTED=1
  export CVMFSEXEC_RESTARTED
  if [ "$cx_later" ]; then
    command rm $cx_journal
    cx_await_request
    cx_run_next_server "$@"
  else
    echo 'root /cvmfs' >&4
    cx_wait_for_server
  fi
  while cx_shall_go_on; do
    [ "$cx_quiet" ] || printf '%s: the file system server ended (%s); a new one takes over\n' "$cx_name" "$cx_cause" >&3
    cx_run_next_server "$@"
  done
}

# One that finds what those before it have left.
cx_run_next_server() {
  # A command in the background has no stdin by itself.
  cx_run_server "$@" 0>>"/proc/$cx_self/fd/0" 2>&3 3>&- 4</proc/self/fd/4 &
  cx_server=$!
  cx_wait_for_server
}

# Gives $cx_status. A server that was killed may be unable to end before another one answers in its place: then signal 59
# comes (src/launcher/stranded-server.ts).
cx_wait_for_server() {
  while :; do
    wait "$cx_server"
    cx_status=$?
    [ $cx_status = 187 ] || return
    cx_line=
    read -r cx_line <"/proc/$cx_server/stat"
    case ${cx_line##*) } in
      [ZX]*)
        cx_status=137
        return
        ;;
    esac
  done
}

# No more memory for new objects than 2 MB, but that from the start: growing to it costs a collection.
cx_run_server() {
  cx_exec_node --disable-sigusr1 --v8-pool-size=1 --min-semi-space-size=2 --max-semi-space-size=2 "$cx_home/dist/start.cjs" server "$@"
}

# Whether another server shall be started after one that ended with $cx_status; if not, init has been told why. A failure
# is a server that did not serve for a second; with the third in a row it is given up.
cx_shall_go_on() {
  case $cx_status in
    125)
      kill -61 "$cx_init"
      return 1
      ;;
    142)
      kill -60 "$cx_init"
      return 1
      ;;
    126 | 127) cx_found='' ;;
    *) cx_found=$cx_node ;;
  esac
  [ -x "$cx_found" ] || {
    cx_give_up "cannot start the file system server again: $cx_node cannot be run"
    return 1
  }
  # The server notes in the journal's first line when it began to serve, in hundredths of a second as /proc/uptime.
  read -r cx_line cx_serving </proc/self/fd/0
  cx_now
  if [ "$cx_serving" != "$cx_seen" ] && [ $((cx_time - cx_serving)) -ge 100 ]; then
    cx_failures=0
  else
    cx_failures=$((cx_failures + 1))
  fi
  cx_seen=$cx_serving
  # The whole group was signalled, and Node was not yet so far as to catch it. If the caller does not ignore it, it ends the job.
  cx_quiet=
  case $cx_serving$cx_status in 129 | 130 | 131 | 138 | 140 | 143) cx_quiet=1 ;; esac
  if [ "$cx_status" -gt 128 ]; then cx_cause="signal $((cx_status - 128))"; else cx_cause="status $cx_status"; fi
  [ "$cx_status" != 137 ] || {
    . "$cx_lib/out-of-memory.sh"
    cx_look_for_oom
  }
  [ $cx_failures -ge 3 ] || return 0
  cx_give_up "the file system server ended unexpectedly ($cx_cause), three times in a row; the job was ended"
  return 1
}

cx_give_up() {
  printf '%s: %s\n' "$cx_name" "$1" >&3
  cx_limit=$(ulimit -v)
  [ "$cx_limit" = unlimited ] || [ "$cx_limit" -ge 2000000 ] ||
    printf '%s: it needs an address space of 2 GB, `ulimit -v` allows %s kB\n' "$cx_name" "$cx_limit" >&3
  cx_limit=$(ulimit -n)
  [ "$cx_limit" = unlimited ] || [ "$cx_limit" -ge 64 ] ||
    printf '%s: it needs 64 open files, `ulimit -n` allows %s\n' "$cx_name" "$cx_limit" >&3
  kill -61 "$cx_init"
}

# Becomes the starter of the command, and then the command.
cx_start_command() {
  cx_parse_words "$@"
  shift $((cx_words + 1))
  cx_exec_default_signals /bin/sh "$cx_lib/starter.sh" "$cx_lib" "$cx_stdin" "$cx_spare" "$cx_userns" "$cx_uid" \
    "$cx_gid" "$cx_shut $cx_status_fd" "$cx_pwd" "$cx_image_options" "$cx_node" "$cx_pidns" "$cx_propagation" "$cx_names" \
    "$cx_overlay_engine" "$cx_fuse_overlayfs" "$@"
}
