# Becomes the program cx_name of the bundle, run by a Node that is fit for it. Sourced by bin/*; needs cx_home, the package's
# directory.
# shellcheck shell=sh
. "$cx_home/src/launcher/programs.sh"
. "$cx_home/src/launcher/find-node.sh"
case $cx_name in
  mountrepo | umountrepo)
    . "$cx_home/src/launcher/delegate.sh"
    if [ "$cx_name" = mountrepo ]; then cx_delegate "${CVMFSMOUNT-}" "$@"; else cx_delegate "${CVMFSUMOUNT-}" "$@"; fi
    ;;
esac
cx_find_node
cx_exec_node "$cx_home/dist/start.cjs" "$cx_name" "$@"
