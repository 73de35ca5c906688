#!/bin/sh
# Rootless podman with the images of a hub, of which it takes only what the container reads: nothing is pulled or unpacked.
#   with a real one:      HUB=unpacked.cern.ch examples/podman.sh IMAGE [COMMAND [ARGUMENT...]]    (cvmfsexec in PATH)
#   see what there is:    HUB=unpacked.cern.ch examples/podman.sh --images
# The demo has no images. Needs podman, crun or runc, and for `--map-subids` a range of yours in /etc/subuid; without one leave
# that out, and the container has one user, its root.
[ $# -gt 0 ] || { echo 'usage: podman.sh IMAGE [COMMAND [ARGUMENT...]]' >&2; exit 125; }

# What podman notes of its processes and mounts is true in this job alone, so it gets directories that end with the job, not
# far down: with a socket whose path is too long it waits for 20 seconds.
# DUCC, which fills the public hubs, leaves deleted files in the layers as files `.wh.NAME`: fuse-overlayfs understands that,
# the kernel's overlay does not.
# shellcheck disable=SC2016 # for the shell in the job
exec cvmfsexec --map-subids "${HUB:-unpacked.cern.ch}" -- sh -c '
  store=/cvmfs/$1/podmanStore
  shift
  job=$(mktemp -d /tmp/podman.XXXXXX) || exit 125
  export XDG_RUNTIME_DIR="$job" CONTAINERS_STORAGE_CONF="$job/storage.conf"
  if [ "${MOUNT_PROGRAM=$(command -v fuse-overlayfs)}" ]; then
    program="mount_program = \"$MOUNT_PROGRAM\"
mountopt = \"nodev,noacl\""
  fi
  cat >"$job/storage.conf" <<END
[storage]
driver = "overlay"
rootless_storage_path = "$job/storage"
runroot = "$job/run"
[storage.options]
additionalimagestores = ["$store"]
[storage.options.overlay]
${program-}
END
  case $1 in
    --images) podman images ;;
    *) podman run --rm --network none --cgroups disabled "$@" ;;
  esac
  status=$?
  podman unshare rm -rf "$job/storage" 2>/dev/null # there may be files of subordinate ids in it
  rm -rf "$job"
  exit $status' podman "${HUB:-unpacked.cern.ch}" "$@"
