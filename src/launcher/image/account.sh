# The caller's account inside an image. Sourced by start.sh.
# shellcheck shell=sh

# Writes passwd and group: the image's, and before them the caller's entries, as far as the host knows them.
cx_write_account() {
  cx_user='' cx_gecos='' cx_group='' cx_shell=
  cx_find_entry "$cx_uid" passwd && {
    cx_user=${cx_entry%%:*}
    cx_entry=${cx_entry#*:*:*:*:} cx_gecos=${cx_entry%%:*} cx_shell=${cx_entry##*:}
  }
  cx_find_entry "$cx_gid" group && cx_group=${cx_entry%%:*}
  { cx_follow "$cx_shell" && [ "$cx_kind" = file ]; } || cx_shell=/bin/sh
  cx_copy_lines /etc/passwd "${cx_user:-user}:x:$cx_uid:$cx_gid:$cx_gecos:${HOME:-/}:$cx_shell" >"$cx_base/own/passwd"
  cx_copy_lines /etc/group "${cx_group:-users}:x:$cx_gid:" >"$cx_base/own/group"
}

# Sets cx_entry to the entry of number $1 in the host's database $2: its file, or what else the host asks.
cx_find_entry() {
  while IFS= read -r cx_entry; do
    case $cx_entry in
      *:*:"$1":* | *:*:"$1") cx_rest=${cx_entry#*:*:} && [ "${cx_rest%%:*}" = "$1" ] && return ;;
    esac
  done </etc/"$2"
  cx_find getent && cx_entry=$("$cx_found" "$2" "$1" 2>/dev/null) && [ "$cx_entry" ]
}

# Prints line $2, and file $1 of the image.
cx_copy_lines() {
  printf '%s\n' "$2"
  cx_follow "$1" && [ -f "$cx_view$cx_path" ] || return 0
  cx_count=0
  while IFS= read -r cx_line || [ "$cx_line" ]; do
    cx_count=$((cx_count + 1))
    [ $cx_count -lt 10000 ] || break
    printf '%s\n' "$cx_line"
  done <"$cx_view$cx_path"
}
