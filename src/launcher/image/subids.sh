# An image with more ids than the caller's own (--map-subids). The command keeps rights over these ids on its way into the
# image, which nsenter(1) cannot do; so it makes its user namespace first, where it may, and another process then moves the
# image on top of the old root. Sourced by image.sh; see also map-by-hand.sh.
# shellcheck shell=sh

# Started in the image's root; does its work when this process, which becomes the command, has its namespace.
cx_move_root_later() {
  # The kernel wants a map in one write, and bash's printf makes one a line.
  cx_find printf || cx_die "no program 'printf' found: install coreutils"
  # Not a child of the command: forked twice, adopted by init.
  (
    (
      while [ /proc/$$/ns/user -ef "/proc/$PPID/ns/user" ]; do command sleep 0.002; done
      "$cx_found" '%s\n' "$cx_gid_map" >/proc/$$/gid_map && "$cx_found" '%s\n' "$cx_uid_map" >/proc/$$/uid_map &&
        "$cx_mount" -n --move . / && : >"$cx_base/entered"
    ) </dev/null >/dev/null 2>&1 &
  )
}

# Sets cx_words to what goes before the environment, and cx_more to what goes before nsenter: the rights to become one of the
# ids, and to enter the image, in the command's namespace alone.
cx_choose_way() {
  cx_find unshare
  cx_quote "$cx_found"
  cx_words="$cx_quoted --user --keep-caps /bin/sh -c \"\$cx_wait_code\" sh $cx_base/entered"
  cx_find setpriv || cx_die "no program 'setpriv' found: install util-linux"
  cx_rights=+setuid,+setgid,+sys_chroot
  cx_quote "$cx_found"
  cx_more="$cx_quoted --inh-caps=-all,$cx_rights --ambient-caps=-all,$cx_rights"
}

# shellcheck disable=SC2016 # not to be expanded here
cx_wait_code='cx_count=0
until [ -e "$1" ]; do
  cx_count=$((cx_count + 1))
  [ $cx_count -lt 2000 ] || { echo "cvmfsexec: --map-subids: cannot make the image the root" >&2; exit 125; }
  sleep 0.005
done
shift
exec "$@"'
