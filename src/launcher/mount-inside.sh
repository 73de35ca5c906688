#!/bin/sh
# $CVMFSMOUNT REPOSITORY: mounts one more repository in the job that this runs in. Exit status 0 when it is there.
cx_lib=${0%/*}
. "$cx_lib/request.sh"
[ $# = 1 ] || cx_usage 'usage: $CVMFSMOUNT REPOSITORY'
cx_request mount "$1"
