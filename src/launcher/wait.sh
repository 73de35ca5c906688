# Waiting for the one child while signals are handled. Sourced by the monitor and by init.
# shellcheck shell=sh

# Sets cx_status to how child $1 ended. `wait` returns early when a trap ran; traps say so in cx_interrupted.
cx_wait() {
  cx_interrupted=
  wait "$1"
  cx_status=$?
  while [ "$cx_interrupted" ]; do
    cx_interrupted='' cx_gone=''
    kill -0 "$1" 2>/dev/null || cx_gone=1
    wait "$1"
    cx_again=$?
    # The child was gone and the shell knows nothing of it: then it was the first `wait` that told, unless what it told was
    # a real-time signal: those are only ever caught.
    [ "$cx_gone" ] && [ $cx_again = 127 ] && [ $cx_status -lt 160 ] || cx_status=$cx_again
  done
}

# --- bash leaves `wait` by a jump out of the signal handler: over handlers of other signals that came at the same moment,
# and over its record that a child has ended. A trap and `wait` cannot both be relied on. In `read` traps run as they
# should; so in bash whoever handles signals sits in `read`. What follows is for bash only, hence the evals.

# A pipe from this process to itself: sets cx_pipe, open for both, and cx_end, open for reading.
cx_make_pipe() {
  set +o posix # some versions have no <( ) in posix mode
  eval 'exec {cx_pipe}<> <(:)'
  eval 'exec {cx_end}</proc/self/fd/$cx_pipe'
  set -o posix
}

# Handles signals until all that hold cx_pipe have ended. A trap of SIGWINCH does not make `read` return: -t.
cx_read_to_end() {
  while eval 'read -r -t 2 cx_line <&$cx_end' || [ $? -gt 128 ]; do :; done
}
