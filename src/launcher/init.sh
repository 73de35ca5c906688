# Init: pid 1 of the job. Has the server started and /cvmfs set up beside that, then has the command started;
# reaps orphans, delivers signals, ends as the command ends. With it the kernel kills all that is left of the job.
# shellcheck shell=sh
unset -f cd kill read printf wait command ulimit test 2>/dev/null
. "$1/src/launcher/arguments.sh"
cx_name=cvmfsexec
. "$cx_lib/programs.sh"
. "$cx_lib/quoting.sh"
. "$cx_lib/find-node.sh"
. "$cx_lib/wait.sh"
. "$cx_lib/deliver.sh"
. "$cx_lib/root.sh"
. "$cx_lib/serve.sh"
. "$cx_lib/scratch-image.sh"
. "$cx_lib/words.sh"
. "$cx_lib/sweep.sh"
cx_guard_end 2

# The keeper died before this process was tied to its death. /proc is still the host's.
cx_line=
{ read -r cx_line </proc/"$cx_parent"/stat; } 2>/dev/null
case ${cx_line##*) } in '' | [ZX]*) exit 125 ;; esac

# From a trap. No other one may follow.
cx_finish() {
  cx_ending=$1
  trap '' 1 2 3 10 12 15 18 20 21 22 24 28 35 36 37 44 46 49 52 54 60 61 62
  cx_clean_up
  exit "$1"
}
cx_clean_up() {
  [ ! "$cx_scratch" ] || cx_close_scratch
  [ "$cx_pidns" ] || cx_sweep
}
# The command has ended. The server removes what it has begun and stores what it has fetched, then ends; after two seconds
# init ends all the same. SIGURG to everybody: the server waits for it, to all others it means nothing.
cx_let_server_finish() {
  [ $$ = 1 ] || return # without a pid namespace `-1` would be all the caller's processes
  cx_server_ended=
  trap cx_server_ended=1 60 61
  cx_count=0
  while [ ! "$cx_server_ended" ] && [ $cx_count -lt 40 ]; do
    cx_count=$((cx_count + 1))
    command sleep 0.05 &
    kill -URG -1 # each time: one that is just being started does not hear it yet
    [ "$cx_server_ended" ] || wait $!
  done
}
cx_nothing_mounted() {
  # The command ended before it had begun, and the server was told so before us: cx_wait goes on.
  cx_interrupted=60
  cx_see_state
  case $cx_state in '' | [ZX]*) return ;; esac
  eval "exec 2>&$cx_spare"
  printf '%s: all repositories were unmounted; the job was ended\n' "$cx_name" >&2
  cx_finish 125
}

# Ways to end early: somebody of ours failed and has said so; the server has nothing left to serve; there is no pid
# namespace and the keeper was killed.
trap 'cx_finish 125' 61
trap cx_nothing_mounted 60
trap 'cx_finish 137' 24

# The monitor sent the caller's environment under the number that is now for the caller's stdin.
eval "exec $cx_spare<&$cx_stdin $cx_stdin<&0"

cx_parse_words "$@"
read -r cx_init_pid cx_line </proc/self/stat # still as the caller sees it
cx_forking=/proc/$cx_init_pid/fd/$cx_stdin # is there until all processes of the launch are: see cx_await_forks
[ ! "$cx_status_fd" ] || . "$cx_lib/status-handover.sh"
cx_begun=
# --- The job. The server's part is left to itself by the process that starts it: `wait` for the command would else wait
# for the whole pipeline.
if [ "$cx_overlays" = 0 ]; then
  { : | cx_serve "$@" & } | cx_start_command "$@" &
  cx_command=$!
else
  . "$cx_lib/overlay/mount.sh"
  . "$cx_lib/overlay/fuse.sh"
  . "$cx_lib/overlay/views.sh"
  # A process in the background has no stdin but by another number.
  { : | cx_serve "$@" & } | { exec 3<&0; cx_make_views <&3 & } | cx_start_command "$@" &
  cx_command=$!
fi
cx_add_system_path # the command has got the caller's
# stderr only for what is worth saying: the shell's own remark about a command that was killed is not.
cx_close_stdin() {
  eval "exec $cx_stdin<&- $cx_spare>&2 2>/dev/null"
}
# --- Signals, as soon as there is somebody who could have them.
if [ "${BASH_VERSION-}" ]; then
  { cx_close_stdin && cx_deliver_in_bash; } &
  cx_close_stdin
  cx_guard_end "$cx_spare"
  # With traps that return, `wait` could not be relied on.
  trap '' 1 2 3 10 12 15 18 20 21 22 28
  for cx_signal in 1 2 3 10 12 15; do
    # shellcheck disable=SC2064 # the number of now
    trap "cx_finish $((cx_signal + 128))" $((cx_signal + 34)) # from cx_too_early
  done
else
  cx_close_stdin
  cx_guard_end "$cx_spare"
  cx_set_traps
fi
cx_wait $cx_command
cx_ending=$cx_status
# Nobody is left that could have a signal. What the monitor passes on is still taken: by that it sees that we are here.
trap '' 1 2 3 10 12 15 18 20 21 22 24 28 60 61
trap : 35 36 37 44 46 49 52 54 62
cx_let_server_finish
cx_clean_up
exit $cx_status
