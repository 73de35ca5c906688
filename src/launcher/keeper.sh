# The keeper: first process of the user and mount namespace. It stays outside the pid namespace, starts init as pid 1 in
# it, and confirms to the monitor that the job was really run. Killed with the monitor; init is killed with it.
# shellcheck shell=sh
unset -f cd kill read printf wait command ulimit test 2>/dev/null
. "$1/src/launcher/arguments.sh"
. "$cx_lib/programs.sh"
. "$cx_lib/sweep.sh"
cx_name=cvmfsexec
cx_guard_end "$cx_spare"
# The monitor died before this process was tied to its death.
[ "$PPID" = "$cx_parent" ] || exit 125
kill -63 "$PPID"
# Signals to the whole process group are not for the keeper. Handlers, not '': init must be able to see them.
trap : 1 2 3 10 12 15 20 21 22
# In the foreground, so that init does not inherit ignored signals; the keeper has nothing to react to.
# Without a pid namespace, init must be able to clean up when the keeper is killed.
if [ "$cx_pidns" ]; then cx_signal=KILL; else cx_signal=XCPU; fi
(
  # Up to here, and in the keeper for good, stderr is /dev/null.
  eval "exec 2>&$cx_spare $cx_spare>&-"
  [ ! "$cx_pipe" ] || eval "exec $cx_pipe>&-"
  cx_exec_dying $cx_signal /bin/sh "$cx_lib/init.sh" "$cx_home" "$cx_node" $$ "$cx_stdin" "$cx_spare" \
    "$cx_taken" "$cx_close" "$cx_default" "$cx_default_signals" "$cx_death" "$cx_pidns" "$cx_propagation" "$cx_userns" \
    "$cx_uid" "$cx_gid" "$cx_shut" "$cx_pwd" "$cx_words" '' "$@"
)
cx_status=$? cx_ending=$?
if [ ! "$cx_pidns" ]; then
  cx_add_system_path
  cx_sweep
elif [ $cx_status = 125 ] && [ -e /proc/self/status ]; then
  # /proc still shows this process: init could not mount one for its namespace, and has started nothing. The signal must
  # not come together with the end (see wait.sh), and this process cannot start a `sleep` in a namespace that is over.
  kill -61 "$PPID"
  cx_count=0
  while [ $cx_count -lt 20000 ]; do cx_count=$((cx_count + 1)); done
fi
exit $cx_status
