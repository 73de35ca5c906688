# The user namespace of a command in an image, mapped back to the caller's ids as without an image. nsenter(1) has to find
# it made, because unshare(1) enters a root last, and from the old one the kernel allows no namespace. Sourced by start.sh.
# shellcheck shell=sh

# Starts, as a child of init's, a process that holds the namespace until this one, which becomes the command, is in it.
cx_hold_user_namespace() {
  [ "$cx_userns" ] || return 0
  cx_find unshare
  cx_holder=$(cx_run_holder "$cx_found" >/dev/null </dev/null & echo $!)
}

cx_run_holder() {
  cx_code='until [ /proc/$1/ns/user -ef /proc/self/ns/user ] || [ ! -e /proc/$1/ns ]; do sleep 0.3; done'
  if [ "$cx_by_hand" ]; then
    exec "$1" --user /bin/sh -c "$cx_code" sh $$
  else
    exec "$1" --user --map-user="$cx_uid" --map-group="$cx_gid" /bin/sh -c "$cx_code" sh $$
  fi
}

cx_await_user_namespace() {
  cx_count=0
  while [ "/proc/$cx_holder/ns/user" -ef /proc/self/ns/user ]; do
    cx_count=$((cx_count + 1))
    [ $cx_count -lt 2000 ] && [ -e "/proc/$cx_holder/ns" ] || cx_die 'cannot make the user namespace of the command'
    command sleep 0.005
  done
  [ -e "/proc/$cx_holder/ns/user" ] || cx_die 'cannot make the user namespace of the command'
  [ "$cx_by_hand" ] || return 0
  { echo deny >/proc/"$cx_holder"/setgroups; } 2>/dev/null # older kernels do not have it
  echo "$cx_gid 0 1" >/proc/"$cx_holder"/gid_map && echo "$cx_uid 0 1" >/proc/"$cx_holder"/uid_map ||
    cx_die 'cannot write the maps of the user namespace of the command'
}
