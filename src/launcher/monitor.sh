# The monitor's work: starts the keeper, passes signals on, ends as the command ended. Sourced by bin/cvmfsexec.
# shellcheck shell=sh

# Runs the job once. Sets cx_status; cx_confirmed, if that is the status of the job and not that of a failed start (the
# keeper tells by signals: 63, the job is run; 61, it was not); cx_ended_by, if a signal came before there was a command
# that could have it.
cx_attempt() {
  cx_confirmed='' cx_ended_by='' cx_interrupted='' cx_chain='' cx_has_lists=
  [ ! -e /proc/$$/task/$$/children ] || cx_has_lists=1
  trap 'cx_confirmed=1 cx_interrupted=63' 63
  trap 'cx_interrupted=61 cx_confirmed=' 61
  for cx_signal in 1 2 3 10 12 15 18 28; do
    # shellcheck disable=SC2064 # the number of now
    trap "cx_pass_on $cx_signal" $cx_signal
  done
  trap 'cx_pass_on 20; kill -19 $$' 20
  # Whatever fails on the way to the keeper is explained by cx_probe: stderr comes back only there.
  eval "exec $cx_stdin<&0 $cx_spare>&2"
  cx_guard_end "$cx_spare"
  cx_pipe=
  [ ! "${BASH_VERSION-}" ] || cx_make_pipe
  # A background job gets /dev/null as its stdin, and `<&0` would only copy that. The caller's environment as it came to
  # us goes along: the shells on the way drop names that are no identifiers. From inside it could not be opened.
  eval "cx_start_keeper \"\$@\" 2>/dev/null <&$cx_stdin $cx_stdin</proc/$$/environ &"
  cx_chain=$!
  [ ! "$cx_ended_by" ] || kill -9 $cx_chain
  # From here on stderr is at cx_spare: this shell's own remark about a job that was killed would only confuse.
  eval "exec $cx_stdin<&- 2>/dev/null"
  if [ "$cx_pipe" ]; then # bash (see wait.sh); only the keeper has the pipe now
    eval "exec $cx_pipe>&-"
    cx_read_to_end
    trap '' 1 2 3 10 12 15 18 20 28
    eval "exec $cx_end<&-"
  fi
  cx_wait $cx_chain
}

# Whoever waits for maps that cannot be written is ended by a signal (subids.sh), perhaps before it can make a status of it.
cx_has_failed() {
  [ ! "$cx_confirmed" ] && [ ! "$cx_ended_by" ] && { [ "$cx_status" -le 128 ] || [ "$cx_subids" ]; }
}

# In order: signals at their default, so that init can see them; death when the monitor dies; the namespaces.
#  --map-root-user: rights over the mounts of the new mount namespace, and nothing else
#  --pid: makes the keeper's first child pid 1, with which all processes of the job die
#  --propagation slave: mounts made on the host later are seen, ours are not seen there
cx_start_keeper() {
  [ ! "$cx_pipe" ] || eval "exec $cx_end<&-"
  cd / # the caller's directory may be one that was removed, or be removed now
  cx_namespace=${cx_userns:+--user --map-root-user}
  [ ! "$cx_subids" ] || cx_namespace=
  # shellcheck disable=SC2086 # words
  set -- "$cx_unshare" $cx_namespace --mount ${cx_pidns:+--pid} \
    ${cx_propagation:+--propagation "$cx_propagation"} /bin/sh "$cx_lib/keeper.sh" \
    "$cx_home" "$cx_node" $$ "$cx_stdin" "$cx_spare" "$cx_taken" "$cx_close" "$cx_default" "$cx_default_signals" \
    "$cx_death" "$cx_pidns" "$cx_propagation" "$cx_userns" "$cx_uid" "$cx_gid" "$cx_shut" "$cx_pwd" "$cx_words" \
    "$cx_pipe" "$@"
  [ ! "$cx_subids" ] || {
    # In a subshell $$ is the monitor.
    read -r cx_value cx_line </proc/self/stat
    cx_write_maps_of "$cx_value"
    set -- "$cx_unshare" --user /bin/sh "$cx_lib/subids-wait.sh" "$cx_lib" "$cx_death" "$@"
  }
  case $cx_death in
    setpriv)
      cx_find setpriv
      set -- "$cx_found" --pdeathsig KILL "$@"
      ;;
    none) ;;
    *) set -- /bin/sh -c '. "$1"; cx_death=$2; shift 2; cx_exec_dying KILL "$@"' sh "$cx_lib/programs.sh" "$cx_death" "$@" ;;
  esac
  cx_exec_default_signals "$@"
}

# Signal $1 came. It may have come to the whole process group (^C, timeout, batch systems), and then the command and
# init have it already; or to us alone. Init can tell: what we pass on travels under another number, the real-time signal
# 34 above it. Never by time: under load the two may be far apart, and a second ^C makes many programs abort.
# Other traps may run in between: see deliver.sh.
cx_pass_on() {
  cx_interrupted=$1
  cx_find_init
  case $cx_init in
    ?*)
      kill -$(($1 + 34)) "$cx_init" 2>/dev/null
      return
      ;;
  esac
  case $1 in 18 | 20 | 28) return ;; esac
  # No init yet, so no command either.
  cx_ended_by=$1
  case $cx_chain in ?*) kill -9 "$cx_chain" 2>/dev/null ;; esac
}

# Sets cx_init to the pid of the process of the job that delivers signals, when it is ready: when it has set the last of its
# traps, that of signal 35. It is init, the keeper's child; in bash a child of init.
cx_find_init() {
  case ${BASH_VERSION:+bash} in
    bash)
      cx_find_children cx_inits "$cx_chain"
      cx_find_children cx_children "${cx_inits%% *}"
      ;;
    *) cx_find_children cx_children "$cx_chain" ;;
  esac
  for cx_init in $cx_children; do
    for cx_line in 1 2 3 4 5 6 7 8 9; do # a trap in between ends the loop below too early
      while read -r cx_key cx_value; do
        case $cx_key$cx_value in
          SigCgt:*[4567cdefCDEF]????????) return ;;
          SigCgt:*) break 2 ;;
        esac
      done 2>/dev/null </proc/"$cx_init"/status
    done
  done
  cx_init=
}

# Sets variable $1 to the pids of the children of $2, in the order of their start.
cx_find_children() {
  eval "$1="
  case $2 in '') return ;; esac
  case $cx_has_lists in
    1)
      { read -r "$1" </proc/"$2/task/$2"/children; } 2>/dev/null
      return
      ;;
  esac
  for cx_process in /proc/[0-9]*; do # a kernel without CONFIG_PROC_CHILDREN
    cx_line=
    { read -r cx_line <"$cx_process/stat"; } 2>/dev/null
    cx_line=${cx_line##*) }
    case ${cx_line#* } in "$2 "*) eval "$1=\$$1\${cx_process#/proc/}\ " ;; esac
  done
}

# Ends as the job did: by the same signal, so that the caller's shell sees it, or with the same status.
cx_end_alike() {
  trap - 0
  # Unless the job was just over, and had its own.
  [ ! "$cx_ended_by" ] || { [ "$cx_confirmed" ] && [ "$cx_status" != 137 ]; } || cx_status=$((cx_ended_by + 128))
  [ ! "$cx_status_fd" ] || cx_tell_exit "$cx_status"
  if [ "$cx_status" -gt 128 ] && [ "$cx_status" -lt 160 ]; then
    ulimit -c 0 # the command's core is enough
    trap - $((cx_status - 128)) 2>/dev/null
    kill -$((cx_status - 128)) $$
  fi
  exit "$cx_status"
}
