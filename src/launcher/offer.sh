# What the command gets for mounting more repositories from inside, as in the original cvmfsexec. Sourced by starter.sh.
# shellcheck shell=sh

# The descriptor is the permission: whoever is started without it can ask for nothing. It is the writing end of a pipe whose
# reading end the server has; process $cx_keeper keeps it open as 4. The number is one that sh can name and that scripts
# seldom use. The pipe's inode number tells whether the descriptor is still ours.
cx_offer_requests() {
  # Those of a job around this one would not mount anything here.
  unset CVMFSMOUNT CVMFSUMOUNT CVMFSEXEC_CMDFD CVMFSEXEC_CMDPIPE
  [ "$cx_keeper" ] || return 0
  for cx_fd in 8 7 6 5 4 3 9; do [ -h /proc/self/fd/$cx_fd ] || break; done
  { eval "command exec $cx_fd>/proc/$cx_keeper/fd/4"; } 2>/dev/null || return 0
  CVMFSMOUNT=$cx_lib/mount-inside.sh CVMFSUMOUNT=$cx_lib/umount-inside.sh
  CVMFSEXEC_CMDFD=$cx_fd CVMFSEXEC_CMDPIPE=$cx_pipe
  export CVMFSMOUNT CVMFSUMOUNT CVMFSEXEC_CMDFD CVMFSEXEC_CMDPIPE
}
