#!/bin/sh
# A command in a container image, without a container runtime, with repositories mounted.
#   with the demo:     examples/demo/env examples/image.sh ./DIRECTORY      (any file tree with a shell in it)
#   with a real hub:   REPOSITORIES=atlas.cern.ch examples/image.sh debian:stable COMMAND [ARGUMENT...]    (cvmfsexec in PATH)
[ $# -gt 0 ] || { echo 'usage: image.sh IMAGE [COMMAND [ARGUMENT...]]' >&2; exit 125; }
image=$1
shift
[ $# -gt 0 ] || set -- /cvmfs/demo.example.org/software/hello/latest/bin/hello
case $image in
  /* | ./* | ../*) hub= ;;
  *) hub=unpacked.cern.ch ;;
esac
# shellcheck disable=SC2086 # a list of names
exec cvmfsexec --image "$image" $hub ${REPOSITORIES:-demo.example.org} -- "$@"
