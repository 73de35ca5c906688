#!/bin/sh
# A job wrapper for HTCondor: jobs that ask for repositories run with them mounted, all others as ever.
#   with the demo:        examples/demo/env env REPOSITORIES=demo.example.org examples/htcondor-wrapper.sh ls /cvmfs/demo.example.org
#   on a worker node:     USER_JOB_WRAPPER = /opt/cvmfsexec/examples/htcondor-wrapper.sh
#   in a submit file:     +CVMFSRepositories = "atlas.cern.ch sft.cern.ch"
PATH=$PATH:$(cd "$(dirname "$0")/../bin" && pwd)

# A node that cannot do it is told apart from a job that fails by the status; a submit file may say
#   max_retries = 3
#   retry_until = ExitCode =!= 125
# HTCondor's own way, this file, had no effect when it was tried (25.14).
refuse() {
  echo "$1" >&2
  [ ! "${_CONDOR_WRAPPER_ERROR_FILE-}" ] || echo "$1" >"$_CONDOR_WRAPPER_ERROR_FILE"
  exit 125
}

if [ -r "${_CONDOR_JOB_AD-}" ]; then
  # No more than names: the value is the job owner's.
  REPOSITORIES=$(sed -n 's/^CVMFSRepositories = "\([A-Za-z0-9. ,_-]*\)"$/\1/p' "$_CONDOR_JOB_AD" | tr , ' ')
fi
[ "${REPOSITORIES-}" ] || exec "$@"
case " $REPOSITORIES" in *' -'*) refuse "CVMFSRepositories: '$REPOSITORIES' has an option in it" ;; esac

# shellcheck disable=SC2086 # names
message=$(cvmfsexec probe $REPOSITORIES 2>&1 >/dev/null) || refuse "CernVM-FS cannot be mounted: $message"
# In place of this process: signals and the exit status are the job's.
# shellcheck disable=SC2086
exec cvmfsexec $REPOSITORIES -- "$@"
