# cx_serve from where it went to a shell that can name descriptors above 9 (see serve.sh). The words of the server are the
# arguments; what else is needed comes by the environment.
# shellcheck shell=bash
unset -f cd kill read printf wait command ulimit test 2>/dev/null
set -o posix
. "$cx_lib/programs.sh"
. "$cx_lib/quoting.sh"
. "$cx_lib/find-node.sh"
. "$cx_lib/deliver.sh"
. "$cx_lib/root.sh"
. "$cx_lib/serve.sh"
. "$cx_lib/scratch-image.sh"
. "$cx_lib/words.sh"
export -n cx_name cx_home cx_lib cx_node cx_init cx_pidns cx_userns cx_propagation cx_forking
cx_words=$#
cx_hold_descriptors "$@"
cx_keep_server "$@"
