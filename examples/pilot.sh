#!/bin/sh
# A pilot, as glideins are: checks the node once, then runs payloads in turn, each with the repositories mounted and in a
# directory of its own. What a payload leaves behind, processes too, goes with it. Prints "PAYLOAD EXIT-STATUS" for each.
#   with the demo:        examples/demo/env examples/pilot.sh
#   with real ones:       REPOSITORIES='atlas.cern.ch sft.cern.ch' examples/pilot.sh PAYLOAD...    (cvmfsexec in PATH)
REPOSITORIES=${REPOSITORIES:-demo.example.org}
hello=/cvmfs/demo.example.org/software/hello
[ $# -gt 0 ] || set -- $hello/1.0/bin/hello $hello/1.1/bin/hello
work=$(mktemp -d "${TMPDIR:-/tmp}/pilot.XXXXXX") || exit 125
trap 'rm -rf "$work"' EXIT

# Better no payload than one after the other lost on a node that cannot mount.
# shellcheck disable=SC2086 # names
cvmfsexec probe $REPOSITORIES >&2 || exit 125

# TERM (the batch system wants its node back) ends the payload, and with it the pilot.
running='' ended=''
trap 'ended=1; [ ! "$running" ] || kill "$running"' TERM INT HUP

worst=0
for payload; do
  case $payload in /*) ;; *) payload=$PWD/$payload ;; esac
  mkdir "$work/job" || exit 125
  # shellcheck disable=SC2086
  (cd "$work/job" && exec cvmfsexec $REPOSITORIES -- "$payload") </dev/null &
  running=$!
  wait $running
  status=$?
  while kill -0 $running 2>/dev/null; do # `wait` was interrupted: the payload may need a moment
    wait $running
    status=$?
  done
  running=''
  echo "${payload##*/} $status"
  [ $status = 0 ] || worst=$status
  chmod -R u+w "$work/job" && rm -rf "$work/job"
  [ ! "$ended" ] || exit 143
done
exit $worst
