# Init: pid 1 of the job. Starts the server, sets up /cvmfs beside the server's start, then has the command started;
# reaps orphans, delivers signals, ends as the command ends. With it the kernel kills all that is left of the job.
# shellcheck shell=sh
unset -f cd kill read printf wait command ulimit test 2>/dev/null
. "$1/src/launcher/arguments.sh"
cx_name=cvmfsexec
. "$cx_lib/programs.sh"
. "$cx_lib/wait.sh"
. "$cx_lib/deliver.sh"
. "$cx_lib/root.sh"
. "$cx_lib/serve.sh"
. "$cx_lib/sweep.sh"

# The keeper died before this process was tied to its death. /proc is still the host's.
cx_line=
{ read -r cx_line </proc/"$cx_parent"/stat; } 2>/dev/null
case ${cx_line##*) } in '' | [ZX]*) exit 125 ;; esac

cx_finish() {
  trap '' 1 2 3 10 12 15 20 21 22 24
  [ "$cx_pidns" ] || cx_sweep
  exit "$1"
}
cx_server_died() {
  printf '%s: the file system server ended unexpectedly; the job was ended\n' "$cx_name" >&2
  case $(ulimit -v) in unlimited | [2-9]??????* | [1-9]???????*)    printf '%s: it needs more address space than `ulimit -v` allows here: 2 GB\n' "$cx_name" >&2 ;;
  esac
  cx_finish 125
}

# --- Signals: first, because the monitor takes the last of these traps as the sign that init is there.
cx_command='' cx_begun=''
trap cx_server_died 62
trap 'cx_finish 125' 61 # somebody of ours failed and has said so
trap 'cx_finish 137' 24 # the keeper was killed, and there is no pid namespace
cx_set_traps

# The monitor sent the caller's environment under the number that is now for the caller's stdin.
eval "exec $cx_spare<&$cx_stdin $cx_stdin<&0"

# --- The job. The server's part is left to itself by the process that starts it: `wait` for the command would else wait
# for the whole pipeline.
{ cx_set_up_root "$@" | cx_serve "$@" & } | cx_start_command "$@" &
cx_command=$!
eval "exec $cx_stdin<&- $cx_spare<&-" </dev/null
cx_wait $cx_command
cx_finish $cx_status
