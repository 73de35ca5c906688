#!/bin/sh
# A command in a container with repositories mounted in it, whatever is in the image.
#   with the demo:        examples/demo/env examples/apptainer.sh IMAGE
#   with a real one:      REPOSITORIES=atlas.cern.ch examples/apptainer.sh IMAGE COMMAND [ARGUMENT...]    (singcvmfs in PATH)
[ $# -gt 0 ] || { echo 'usage: apptainer.sh IMAGE [COMMAND [ARGUMENT...]]' >&2; exit 125; }
[ $# -gt 1 ] || set -- "$1" /cvmfs/demo.example.org/software/hello/latest/bin/hello
SINGCVMFS_REPOSITORIES=${REPOSITORIES:-demo.example.org}
export SINGCVMFS_REPOSITORIES
exec singcvmfs exec "$@"
