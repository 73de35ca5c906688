# Finds out, part by part, what this system can do, after a start with everything failed. Sourced by the monitor.
# shellcheck shell=sh

# Sets cx_default, cx_death, cx_userns, cx_propagation and cx_pidns; complains if a job cannot be started at all.
cx_probe() {
  cx_find true
  cx_true=$cx_found
  cx_python=none
  for cx_program in python3 platform-python; do
    if cx_find $cx_program; then cx_python=$cx_found; fi
  done
  [ -x /usr/libexec/platform-python ] && cx_python=/usr/libexec/platform-python # RHEL 8 always has this one

  for cx_default in env perl "$cx_python" none; do
    (cx_default_signals=-INT cx_exec_default_signals "$cx_true") 2>/dev/null && break
  done
  for cx_death in setpriv perl "$cx_python" none; do
    (cx_exec_dying KILL "$cx_true") 2>/dev/null && break
  done

  cx_probe_namespaces
  [ ! "$cx_subids" ] || cx_probe_subids
  cx_propagation=slave
  # shellcheck disable=SC2086 # words
  "$cx_unshare" $cx_options --propagation slave "$cx_true" 2>/dev/null || cx_propagation=
  # shellcheck disable=SC2086
  "$cx_unshare" $cx_options --pid --fork --mount-proc "$cx_true" 2>/dev/null || cx_pidns=
}

# Root needs no user namespace, unless it is a root without rights, as in a container.
cx_probe_namespaces() {
  cx_options=--mount
  if [ ! "$cx_userns" ]; then
    "$cx_unshare" $cx_options "$cx_true" 2>/dev/null && return
    cx_userns=1
  fi
  cx_options='--user --map-root-user --mount'
  # shellcheck disable=SC2086 # words
  cx_message=$("$cx_unshare" $cx_options "$cx_true" 2>&1) && return
  cx_message=${cx_message##*unshare: }
  cx_ask='ask the administrator' cx_instead=
  if cx_find fusermount3 || cx_find fusermount; then cx_instead=', or use mountrepo, which needs none'; fi
  cx_setting user/max_user_namespaces 0 &&
    cx_die "user namespaces are switched off: $cx_ask to set the sysctl user.max_user_namespaces (for example to 65536)$cx_instead"
  cx_setting kernel/unprivileged_userns_clone 0 &&
    cx_die "user namespaces are for root only here: $cx_ask to set the sysctl kernel.unprivileged_userns_clone to 1$cx_instead"
  cx_setting kernel/apparmor_restrict_unprivileged_userns 1 &&
    cx_die "AppArmor takes the rights from user namespaces: $cx_ask for a profile that allows 'userns' for $cx_unshare, or to set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0$cx_instead"
  cx_die "cannot create a user namespace ($cx_message): in a container it must be allowed from outside, on a host $cx_ask$cx_instead"
}

# Whether sysctl $1 is $2.
cx_setting() {
  cx_value=
  { read -r cx_value </proc/sys/"$1"; } 2>/dev/null
  [ "$cx_value" = "$2" ]
}
