#!/bin/sh
# $CVMFSUMOUNT [-z] REPOSITORY: unmounts a repository of the job that this runs in; with -z at once, also where it is in use,
# and for good when it is not used any more.
cx_lib=${0%/*}
. "$cx_lib/request.sh"
cx_action=unmount
if [ "${1-}" = -z ]; then
  cx_action=detach
  shift
fi
[ $# = 1 ] || cx_usage 'usage: $CVMFSUMOUNT [-z] REPOSITORY'
cx_request $cx_action "$1"
