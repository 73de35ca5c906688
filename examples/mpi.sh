#!/bin/sh
# MPI (Open MPI 4): one mount a node, for all its ranks. Open MPI starts its daemon on the other nodes by a command that it
# lets you choose, so nothing has to stand in for `orted`.
#   with the demo:        examples/demo/env examples/mpi.sh -n 2 /cvmfs/demo.example.org/software/hello/latest/bin/hello
#   with a real one:      REPOSITORIES=sft.cern.ch examples/mpi.sh --hostfile nodes PROGRAM [ARGUMENT...]
# Of the environment, ssh brings nothing to the other nodes: CVMFS_* go into /etc/cvmfs there, or as -o into `launch` below.
launch="$(command -v cvmfsexec) ${REPOSITORIES:-demo.example.org} --"

# A launch for each rank (mpirun or srun cvmfsexec REPOSITORY -- PROGRAM) wants `--host-pids`, or ranks in their own jobs have the
# same process id, and Open MPI 4 takes them for one and crashes.
# shellcheck disable=SC2086 # words
exec $launch mpirun --mca orte_launch_agent "$launch orted" "$@"
