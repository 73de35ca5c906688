# shellcheck shell=sh

# Sets cx_status to how child $1 ended. `wait` returns early when a trap ran; traps say so in cx_interrupted.
cx_wait() {
  cx_interrupted=
  wait "$1"
  cx_status=$?
  while [ "$cx_interrupted" ]; do
    cx_interrupted=
    kill -0 "$1" 2>/dev/null && cx_gone='' || cx_gone=1
    wait "$1"
    cx_again=$?
    # The child was gone and the shell knows nothing of it: it was the first `wait` that told.
    [ "$cx_gone" ] && [ $cx_again = 127 ] || cx_status=$cx_again
  done
}
