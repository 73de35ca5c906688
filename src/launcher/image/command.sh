# What runs inside an image, and in which environment. Sourced by start.sh.
# shellcheck shell=sh

cx_default_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Read by the image's own /bin/sh: its environment scripts, then the caller's assignments up to `--`, which win.
# shellcheck disable=SC2016 # not to be expanded here
cx_enter_code='for cx_script in /.singularity.d/env/*.sh; do [ ! -f "$cx_script" ] || . "$cx_script"; done
unset cx_script
while [ "$1" != -- ]; do
  case ${1%%=*} in
    [0-9]* | *[!A-Za-z0-9_]* | UID | EUID | PPID | BASHOPTS | SHELLOPTS | BASH_VERSINFO) ;;
    *) export "$1" ;;
  esac
  shift
done
shift
exec "$@"'

# Sets cx_command to the words to run, cx_environment to the words for env(1), both in quotes, for command "$@". Without a
# command it is what the image says: its runscript, entrypoint and command, or else a shell.
cx_choose_command() {
  cx_oci_variables='' cx_oci_command=
  cx_is_program /.singularity.d/runscript || cx_read_oci_configuration # it was made of that
  if [ $# = 0 ]; then
    if cx_is_program /.singularity.d/runscript; then
      set -- /.singularity.d/runscript
    elif [ "$cx_oci_command" ]; then
      eval "set -- $cx_oci_command"
    elif cx_find_image_shell; then
      set -- "$cx_image_shell"
    else
      cx_die 'the image has no shell and says nothing of a command: name one'
    fi
  fi
  cx_choose_environment
  # LD_LIBRARY_PATH and the like are not for the host's programs on the way.
  case $cx_oci_variables$cx_variables in *"'LD_"*) cx_by_shell=1 ;; *) cx_by_shell='' ;; esac
  if cx_follow /.singularity.d/env && [ "$cx_kind" = directory ]; then cx_by_shell=1; fi
  if [ "$cx_by_shell" ] && cx_is_program /bin/sh; then
    eval "set -- /bin/sh -c \"\$cx_enter_code\" \"\$cx_name\" $cx_oci_variables $cx_variables -- \"\$@\""
  else
    cx_environment="$cx_environment $cx_oci_variables $cx_variables"
    cx_look_up_inside "$1"
  fi
  cx_command=
  for cx_word; do
    cx_quote "$cx_word"
    cx_command="$cx_command $cx_quoted"
  done
}

cx_find_image_shell() {
  for cx_image_shell in /bin/bash /bin/sh; do
    ! cx_is_program $cx_image_shell || return 0
  done
  return 1
}

# The caller's environment, but for where programs and libraries are: that is another matter inside.
cx_choose_environment() {
  if [ "$cx_cleanenv" ]; then
    cx_environment='-i --'
    for cx_word in HOME USER LOGNAME TERM CVMFSMOUNT CVMFSUMOUNT CVMFSEXEC_CMDFD CVMFSEXEC_CMDPIPE; do
      eval "[ \"\${$cx_word+set}\" ] || continue; cx_quote \"$cx_word=\$$cx_word\""
      cx_environment="$cx_environment $cx_quoted"
    done
  else
    cx_environment="-u LD_LIBRARY_PATH -u LD_PRELOAD -u LD_AUDIT ${cx_assignments:---}"
  fi
  cx_quote "CVMFSEXEC_IMAGE=$cx_image"
  cx_environment="$cx_environment PATH=$cx_default_path $cx_quoted"
  [ "${SHELL-}" ] && [ ! "$cx_cleanenv" ] || return 0
  [ "$SHELL" != "$cx_shell" ] || return 0 # the account's, which is there
  cx_is_program "$SHELL" || { cx_find_image_shell && cx_environment="$cx_environment SHELL=$cx_image_shell"; }
  return 0
}

# Ends with 127 or 126, as a shell does, if command $1 cannot be run.
cx_look_up_inside() {
  cx_refusal=127
  case $1 in
    */*)
      case $1 in /*) cx_file=$1 ;; *) cx_file=$cx_directory/$1 ;; esac
      cx_is_program "$cx_file" && return
      cx_follow "$cx_file" && [ "$cx_kind" != missing ] || cx_refuse 127 "$1: No such file or directory in the image"
      [ "$cx_kind" = file ] || cx_refuse 126 "$1: Is a directory"
      cx_refuse 126 "$1: Permission denied"
      ;;
  esac
  cx_search=$cx_default_path
  eval "set -- \"\$1\" $cx_oci_variables $cx_variables"
  cx_program=$1
  shift
  for cx_word; do case $cx_word in PATH=*) cx_search=${cx_word#PATH=} ;; esac; done
  while [ "$cx_search" ]; do
    cx_part=${cx_search%%:*}
    case $cx_search in *:*) cx_search=${cx_search#*:} ;; *) cx_search='' ;; esac
    cx_is_program "${cx_part:-$cx_directory}/$cx_program" && return
  done
  cx_refuse 127 "$cx_program: command not found in the image"
}

# Sets cx_directory to where the command starts: --pwd, the caller's directory, or home; cx_start to what that leads to.
cx_choose_directory() {
  if [ "$cx_inside" ]; then
    cx_directory=$cx_inside
    cx_follow "$cx_inside" && [ "$cx_kind" = directory ] || cx_die "--pwd: there is no directory $cx_inside in the image"
    cx_start=$cx_path
    return
  fi
  for cx_directory in "$cx_pwd" "${HOME-}" /; do
    case $cx_directory in /*) ;; *) continue ;; esac
    cx_follow "$cx_directory" && [ "$cx_kind" = directory ] && break
  done
  cx_start=$cx_path
}
