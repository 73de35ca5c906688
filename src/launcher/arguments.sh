# The arguments that the monitor hands to the keeper and to init, in this order. The rest are the words for the server,
# cx_words of them, and after `--` the command.
# shellcheck shell=sh
cx_home=$1 cx_node=$2 cx_parent=$3 cx_stdin=$4 cx_spare=$5 cx_taken=$6 cx_close=$7 cx_default=$8 cx_default_signals=$9
shift 9
cx_death=$1 cx_pidns=$2 cx_propagation=$3 cx_userns=$4 cx_uid=$5 cx_gid=$6 cx_shut=$7 cx_pwd=$8 cx_words=$9
shift 9
cx_pipe=$1
shift
cx_lib=$cx_home/src/launcher
