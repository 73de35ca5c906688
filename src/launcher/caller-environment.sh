# The caller's environment as it came, where shells on the way to the command have changed it.
# shellcheck shell=sh

# stdin: /proc/PID/environ of a process that has it. Sets cx_assignments to words for env(1) which put it right, quoted for
# `eval`; cx_seen to the names of some variables that it has; cx_env_PWD and cx_env_OLDPWD.
cx_compare_environment() {
  cx_assignments='' cx_unset='' cx_seen='' cx_env_PWD='' cx_env_OLDPWD=''
  cx_find xargs || return 0
  cx_changes=$(LC_ALL=C "$cx_found" -0 /bin/sh "$cx_lib/environment.sh" 2>/dev/null)
  eval "$cx_changes"
  case ${SHLVL+set}$cx_seen in *' SHLVL '* | ' '*) ;; set*) cx_unset='-u SHLVL' ;; esac
  case ${BASH_VERSION:+bash}$cx_seen in *' _ '* | ' '*) ;; bash*) cx_unset="$cx_unset -u _" ;; esac
  # A name may begin with a dash.
  [ ! "$cx_unset$cx_assignments" ] || cx_assignments="$cx_unset -- $cx_assignments"
}

cx_restore_directories() {
  [ "$cx_seen" ] || return 0
  case $cx_seen in *' PWD '*) PWD=$cx_env_PWD ;; *) unset PWD ;; esac
  case $cx_seen in *' OLDPWD '*) OLDPWD=$cx_env_OLDPWD ;; *) unset OLDPWD ;; esac
}
