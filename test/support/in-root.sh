#!/bin/sh
# in-root.sh DIRECTORY USER SHARED COMMAND...    (as root) Runs COMMAND as USER with DIRECTORY, a Debian root, as its root
# and SHARED, a directory of the host, at its own path. What it writes elsewhere is gone with it: all that is writable is
# a tmpfs. IN_ROOT_MASKED=1: a part of /proc is covered, as in other containers. By pivot_root, because a chrooted process cannot make user namespaces.
set -eu
if [ "${IN_ROOT-}" != 1 ]; then
  export IN_ROOT=1
  exec unshare --mount --pid --fork --kill-child --propagation private sh "$0" "$@"
fi
unset IN_ROOT
directory=$1 user=$2 shared=$3
shift 3
entry=$(getent passwd "$user") uid=$(id -u "$user") gid=$(id -g "$user")
mount --rbind "$directory" "$directory"
cd "$directory"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
for place in tmp var/tmp run home mnt; do mount -t tmpfs -o mode=1777 tmpfs "$place"; done
mkdir -p ".$shared" "home/$user" "run/user/$uid" mnt/debian
chown "$uid:$gid" "home/$user" "run/user/$uid"
mount --rbind "$shared" ".$shared"
mount --bind . mnt/debian
[ -z "${IN_ROOT_MASKED-}" ] || mount -t tmpfs -o ro tmpfs proc/bus
for file in passwd group subuid subgid hosts; do
  { cat "etc/$file" 2>/dev/null || true; } >"run/$file"
done
echo "$user:x:$uid:$gid::/home/$user:/bin/sh" >>run/passwd
getent group "$gid" >>run/group || true
for file in subuid subgid; do echo "$user:200000:65536" >>"run/$file"; done
echo '127.0.0.1 localhost' >>run/hosts
for file in passwd group subuid subgid hosts; do
  [ -e "etc/$file" ] || : >"etc/$file"
  mount --bind "run/$file" "etc/$file"
done
mkdir -p run/old
pivot_root . run/old
cd /
umount -l /run/old
cd "$shared"
exec env -i HOME="/home/$user" USER="$user" LOGNAME="$user" XDG_RUNTIME_DIR="/run/user/$uid" TERM=dumb \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --reuid="$uid" --regid="$gid" --init-groups "$@"
