# shellcheck shell=sh

# Sets cx_status to how child $1, the only one in the background, ended. `wait` returns early when a trap ran; traps put
# the number of their signal into cx_interrupted.
cx_wait() {
  cx_interrupted=
  wait "$1"
  cx_status=$?
  while [ "$cx_interrupted" ]; do
    cx_caught=$cx_interrupted cx_interrupted='' cx_gone=''
    kill -0 "$1" 2>/dev/null || cx_gone=1
    # bash leaves `wait` by a jump out of the signal handler. If the child ended at that very moment its status is lost,
    # and bash takes it for running for ever. What ends a child and comes at the same time is most likely that signal.
    if [ "$cx_gone" ] && [ "${BASH_VERSION-}" ] && [ "$(jobs -rp)" ]; then
      cx_status=$((128 + cx_caught))
      return
    fi
    wait "$1"
    cx_again=$?
    # The child was gone and the shell knows nothing of it: then it was the first `wait` that told, unless what it told was
    # a real-time signal: those are only ever caught.
    [ "$cx_gone" ] && [ $cx_again = 127 ] && [ $cx_status -lt 160 ] || cx_status=$cx_again
  done
}
