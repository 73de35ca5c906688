#!/bin/sh
# A Slurm job, or an array of them, that needs no prolog and no client on the nodes.
#   with the demo:        examples/demo/env sbatch --array=1-4 examples/slurm.sh
#   with a real one:      REPOSITORIES=atlas.cern.ch sbatch examples/slurm.sh COMMAND [ARGUMENT...]    (cvmfsexec in PATH)
#SBATCH --job-name=cvmfs
#SBATCH --ntasks=1
#SBATCH --mem=1G
#SBATCH --time=10
# Half a minute before the time is over, the command gets TERM; so it does on scancel.
#SBATCH --signal=TERM@30

[ $# -gt 0 ] || set -- /cvmfs/demo.example.org/software/hello/latest/bin/hello

# All your jobs on a node share one cache on its disk; for another place set CVMFS_CACHE_BASE. What it takes of memory
# (about 100 MB) counts in --mem. `srun` makes a step of it, which Slurm signals and accounts for.
# shellcheck disable=SC2086 # names
exec srun cvmfsexec ${REPOSITORIES:-demo.example.org} -- "$@"
