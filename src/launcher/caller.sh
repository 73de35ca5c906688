# What the caller gave us, as far as the launch needs to know it. Sourced by the monitor; builtins only.
# shellcheck shell=sh

cx_pwd=$PWD

# --- Ids, and what is ignored or blocked. Nothing here is inherited by the command through us: it inherits it as we did.
cx_ignored=
while read -r cx_key cx_value cx_second cx_rest; do
  case $cx_key in
    Uid:) cx_uid=$cx_second ;;
    Gid:) cx_gid=$cx_second ;;
    SigBlk:) cx_blocked=$cx_value ;;
    SigIgn:) cx_ignored=$cx_value ;;
    SigCgt:) break ;;
  esac
done </proc/self/status
[ "$cx_ignored" ] || cx_die '/proc is not mounted'

# Signals to be put back to their default for the command (see cx_exec_default_signals): `-` and a list. bash and
# busybox ignore QUIT for themselves, so the caller's wish shows only when INT is ignored as well, which is how it comes.
case $cx_ignored in
  *[2367abefABEF]) cx_default_signals=- ;;
  *) cx_default_signals=-INT,QUIT ;;
esac

# The keeper tells with real-time signals whether the exit status is the job's own. If those do not reach us, a failed
# start cannot be told from a failed command, and a command must never be run twice.
case $cx_ignored$cx_blocked in
  00000000????????00000000????????) cx_may_retry=1 ;;
  *) cx_may_retry='' ;;
esac

# --- stdin, stdout and stderr that the caller has closed: closed for the command, but the numbers must not be used.
cx_shut=
for cx_fd in 0 1 2; do
  [ -h /proc/self/fd/$cx_fd ] || {
    eval "exec $cx_fd<>/dev/null"
    cx_shut="$cx_shut $cx_fd"
  }
done

# --- Descriptors. All of the caller's reach the command. We need two numbers that sh can name and the caller does not
# use. The server closes what is not its business: 3 to 9 are closed by sh, the higher ones, which sh cannot name, are
# told to it. What is marked close-on-exec is this shell's own.
cx_stdin='' cx_spare='' cx_taken='' cx_close=''
for cx_fd in 3 4 5 6 7 8 9; do
  if [ -h /proc/self/fd/$cx_fd ]; then
    cx_taken="$cx_taken $cx_fd"
  elif [ ! "$cx_stdin" ]; then
    cx_stdin=$cx_fd
  elif [ ! "$cx_spare" ]; then
    cx_spare=$cx_fd
  fi
done
[ "$cx_spare" ] || cx_die 'two free descriptors between 3 and 9 are needed: close some'
for cx_fd in /proc/self/fd/??*; do
  cx_fd=${cx_fd##*/}
  while read -r cx_key cx_value; do
    case $cx_key$cx_value in
      flags:*[2367]??????) ;;
      flags:*) cx_close="$cx_close $cx_fd" ;;
    esac
  done 2>/dev/null </proc/self/fdinfo/"$cx_fd"
done
