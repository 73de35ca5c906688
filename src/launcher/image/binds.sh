# What of the host is seen inside an image: what people know from container runtimes, and what they ask for. Sourced by
# start.sh.
# shellcheck shell=sh

# Sets cx_lines to all mounts below the new root, in order (fstab), and cx_directories and cx_files to the places to mount
# upon that do not exist (words in quotes).
cx_plan_binds() {
  cx_lines='' cx_directories='' cx_files='' cx_bound='' cx_parts=
  cx_plan_proc
  cx_bind /sys /sys rbind
  if [ "$cx_contain" ]; then cx_bind_few_devices; else cx_bind /dev /dev rbind; fi
  for cx_word in /tmp /var/tmp; do
    if [ "$cx_contain" ]; then
      cx_bind_fresh "$cx_word" 1777
    else
      cx_bind "$cx_word" "$cx_word" rbind
    fi
  done
  case $cx_no_home${HOME-} in
    /?*) if [ "$cx_contain" ]; then cx_bind_fresh "$HOME" 0700; else cx_bind "$HOME" "$HOME" rbind; fi ;;
  esac
  [ "$cx_contain" ] || cx_bind_directory
  cx_bind /cvmfs /cvmfs rbind
  for cx_word in /etc/hosts /etc/resolv.conf; do
    [ ! -f "$cx_word" ] || cx_bind "$cx_word" "$cx_word" bind
  done
  [ ! -f /etc/localtime ] || cx_bind_localtime
  cx_write_account
  cx_bind "$cx_base/own/passwd" /etc/passwd bind
  cx_bind "$cx_base/own/group" /etc/group bind
  [ ! "$cx_subids" ] || for cx_word in /etc/subuid /etc/subgid; do
    [ ! -f "$cx_word" ] || cx_bind "$cx_word" "$cx_word" bind
  done
  # The programs for asking for more repositories.
  [ ! "$cx_keeper" ] || cx_bind "$cx_lib" "$cx_lib" rbind
  eval "set -- $cx_binds"
  for cx_spec; do cx_bind_spec "$cx_spec"; done
}

# The caller's directory, unless it belongs to a system, of which the image has its own.
cx_bind_directory() {
  case $cx_pwd/ in
    // | /usr/* | /etc/* | /bin/* | /sbin/* | /lib*/* | /boot/* | /run/* | /var/ | /opt/ | /mnt/ | /home/ | /srv/ | /media/) return ;;
  esac
  [ ! -d "$cx_pwd" ] || cx_bind "$cx_pwd" "$cx_pwd" rbind
}

# Most images have a link there, to a time zone, which must stay what it is: a file takes the link's place.
cx_bind_localtime() {
  if cx_follow /etc && [ -h "$cx_view$cx_path/localtime" ]; then
    cx_path=$cx_path/localtime cx_type='file' cx_kind=missing
    cx_find_place
    [ "$cx_place" ] || {
      cx_plan_target
      cx_add_bind /etc/localtime bind
    }
  else
    cx_bind /etc/localtime /etc/localtime bind
  fi
}

# SRC[:DST[:ro|rw]]
cx_bind_spec() {
  cx_from=$1 cx_to='' cx_mode=rbind
  case $1 in *:*) cx_from=${1%%:*} cx_to=${1#*:} ;; esac
  case $cx_to in
    *:ro) cx_to=${cx_to%:ro} cx_mode=rbind,ro ;;
    *:rw) cx_to=${cx_to%:rw} ;;
  esac
  case $cx_from in /*) ;; *) cx_from=$cx_pwd/$cx_from ;; esac
  cx_to=${cx_to:-$cx_from}
  case $cx_to in /*) ;; *) cx_die "--bind $1: the place inside must be an absolute path" ;; esac
  [ -e "$cx_from" ] || cx_die "--bind $1: there is no $cx_from"
  if [ "$cx_mode" = rbind,ro ]; then
    cx_keep_flags "$cx_from"
    cx_mode=$cx_mode$cx_flags
  fi
  cx_bind "$cx_from" "$cx_to" "$cx_mode" "--bind $1"
}

# Plans to bind $1, a path of the host, at $2 inside, with mount options $3. $4 is what the caller asked for: without, a
# place where it cannot be done is only remarked on.
cx_bind() {
  if [ -d "$1" ]; then cx_type=directory; elif [ -e "$1" ]; then cx_type='file'; else return 0; fi
  cx_follow "$2" && cx_find_place "$1" || { cx_refuse_bind "$2" "${4-}"; return 0; }
  [ "$cx_place" ] && [ "${4-}" = '' ] && [ "$cx_place" -ef "$1" ] && return
  case $cx_kind in
    "$cx_type") ;;
    missing) cx_plan_target ;;
    *)
      cx_problem="it is a $cx_kind, and not a $cx_type"
      cx_refuse_bind "$2" "${4-}"
      return 0
      ;;
  esac
  cx_add_bind "$1" "$3"
}

# Adds the bind of $1 at cx_path, with options $2.
cx_add_bind() {
  cx_escape "$1"
  cx_from=$cx_escaped
  cx_escape "$cx_base/root$cx_path"
  cx_lines="$cx_lines$cx_from $cx_escaped none $2 0 0
"
  cx_quote "$cx_path"
  cx_bound="$cx_bound $cx_quoted"
  cx_quote "$1"
  cx_bound="$cx_bound $cx_quoted"
}

cx_refuse_bind() {
  [ ! "$2" ] || cx_die "$2: cannot be mounted at $1 of the image: $cx_problem"
  printf '%s: nothing is mounted at %s of the image: %s\n' "$cx_name" "$1" "$cx_problem" >&2
}

# cx_path may be below something that is bound already. Then sets cx_place to the path of the host that it means, and
# cx_kind by that. Only in directories of our own something is made.
cx_find_place() {
  cx_place='' cx_rest=
  eval "set -- $cx_bound"
  while [ $# -gt 0 ]; do
    case $cx_path in
      "$1") cx_place=$2 cx_rest='' ;;
      "${1%/}"/*) cx_rest=${cx_path#"${1%/}"} cx_place=$2$cx_rest ;;
    esac
    shift 2
  done
  [ "$cx_place" ] || return 0
  # A link of the host would lead mount(8) anywhere.
  cx_source=${cx_place%"$cx_rest"}
  while [ "$cx_rest" ]; do
    cx_rest=${cx_rest#/}
    cx_source=$cx_source/${cx_rest%%/*}
    [ ! -h "$cx_source" ] || { cx_problem="$cx_source is a symbolic link"; return 1; }
    case $cx_rest in */*) cx_rest=${cx_rest#*/} ;; *) cx_rest='' ;; esac
  done
  if [ -d "$cx_place" ]; then cx_kind=directory
  elif [ -e "$cx_place" ]; then cx_kind='file'
  else
    cx_kind=missing
    case $cx_place in $cx_base/own/*) ;; *) cx_problem="$cx_place does not exist"; return 1 ;; esac
  fi
}

# Plans to make cx_path, of type cx_type, in the new root or in the directory of our own that is bound there.
cx_plan_target() {
  if [ "$cx_place" ]; then
    if [ "$cx_type" = directory ]; then command mkdir -p -- "$cx_place"; else command : >"$cx_place"; fi ||
      cx_die "cannot make $cx_path to mount upon"
  elif [ "$cx_type" = directory ]; then
    cx_quote "$cx_path"
    cx_directories="$cx_directories $cx_quoted"
  else
    cx_quote "${cx_path%/*}"
    [ "$cx_quoted" = "''" ] || cx_directories="$cx_directories $cx_quoted"
    cx_quote "$cx_path"
    cx_files="$cx_files $cx_quoted"
  fi
}

# A new directory of mode $2 at $1.
cx_bind_fresh() {
  cx_fresh=$cx_base/own$1
  command mkdir -p -- "$cx_fresh" && command chmod "$2" "$cx_fresh" || cx_die "cannot make a directory for $1"
  cx_bind "$cx_fresh" "$1" bind
}

# /proc of our pid namespace. Without one the host's is bound, later: cx_proc is where.
cx_plan_proc() {
  cx_proc='' cx_type=directory cx_place=
  cx_follow /proc || { cx_refuse_bind /proc ''; return; }
  case $cx_kind in
    directory) ;;
    missing) cx_plan_target ;;
    *)
      cx_problem='it is a file, and not a directory'
      cx_refuse_bind /proc ''
      return
      ;;
  esac
  cx_quote "$cx_path"
  cx_bound="$cx_bound $cx_quoted /proc"
  if [ ! "$cx_pidns" ]; then
    cx_proc=$cx_path
    return
  fi
  cx_escape "$cx_base/root$cx_path"
  cx_lines="${cx_lines}proc $cx_escaped proc nosuid,nodev,noexec 0 0
"
}

# --contain: the devices that every program expects, and terminals of its own.
cx_bind_few_devices() {
  cx_bind_fresh /dev 0755
  command mkdir -m 1777 "$cx_fresh/shm" && command mkdir "$cx_fresh/pts" && command ln -s pts/ptmx "$cx_fresh/ptmx" &&
    command ln -s /proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 "$cx_fresh/" &&
    command mv "$cx_fresh/0" "$cx_fresh/stdin" && command mv "$cx_fresh/1" "$cx_fresh/stdout" &&
    command mv "$cx_fresh/2" "$cx_fresh/stderr" || cx_die 'cannot make /dev'
  cx_escape "$cx_base/root$cx_path/pts"
  cx_lines="${cx_lines}devpts $cx_escaped devpts newinstance,ptmxmode=0666,mode=0620,nosuid,noexec 0 0
"
  for cx_word in null zero full random urandom tty fuse; do cx_bind /dev/$cx_word /dev/$cx_word rbind; done
}

# Sets cx_flags to the options, each after a comma, that the mount of $1 has and that the kernel allows nobody to take away.
cx_keep_flags() {
  cx_flags=
  cx_find findmnt || return 0
  cx_options=$("$cx_found" -n -o VFS-OPTIONS -T "$1" 2>/dev/null)
  for cx_word in nosuid nodev noexec noatime nodiratime; do
    case ",$cx_options," in *",$cx_word,"*) cx_flags=$cx_flags,$cx_word ;; esac
  done
}
