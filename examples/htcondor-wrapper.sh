#!/bin/sh
# A job wrapper for HTCondor: jobs that ask for repositories run with them mounted, all others as ever.
#   with the demo:        examples/demo/env env REPOSITORIES=demo.example.org examples/htcondor-wrapper.sh ls /cvmfs/demo.example.org
#   on a worker node:     USER_JOB_WRAPPER = /opt/cvmfsexec/examples/htcondor-wrapper.sh
#   in a submit file:     +CVMFSRepositories = "atlas.cern.ch sft.cern.ch"
PATH=$PATH:$(cd "$(dirname "$0")/../bin" && pwd)

if [ -r "${_CONDOR_JOB_AD-}" ]; then
  # No more than names: the value is the job owner's.
  REPOSITORIES=$(sed -n 's/^CVMFSRepositories = "\([A-Za-z0-9. ,_-]*\)"$/\1/p' "$_CONDOR_JOB_AD" | tr , ' ')
fi
[ "${REPOSITORIES-}" ] || exec "$@"
case " $REPOSITORIES" in *' -'*)
  echo "CVMFSRepositories: '$REPOSITORIES' has an option in it" >"${_CONDOR_WRAPPER_ERROR_FILE:-/dev/stderr}"
  exit 1
  ;;
esac

# A node that cannot mount them is told apart from a job that fails: if this file is there, HTCondor takes the wrapper for
# failed, and copies it to the StarterLog.
# shellcheck disable=SC2086 # names
if ! message=$(cvmfsexec probe $REPOSITORIES 2>&1 >/dev/null); then
  echo "CernVM-FS cannot be mounted: $message" >"${_CONDOR_WRAPPER_ERROR_FILE:-/dev/stderr}"
  exit 1
fi
# In place of this process: signals and the exit status are the job's.
# shellcheck disable=SC2086
exec cvmfsexec $REPOSITORIES -- "$@"
