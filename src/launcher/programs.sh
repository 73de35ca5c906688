# Programs and complaints. Sourced by the shell scripts of a launch.
# shellcheck shell=sh

# The launcher's own failures: one line, exit code 125.
cx_die() {
  printf '%s: %s\n' "${cx_name:-cvmfsexec}" "$1" >&2
  exit 125
}

# For the shells of a launch: one that gets no process or file for its next step ends at once, with status 2 (bash: 254) and a
# remark of its own, and nobody may take that for the end of the command. $1: where stderr is; $2, if any, gets signal 61.
cx_guard_end() {
  # shellcheck disable=SC2064 # the numbers of now
  trap "cx_broken_off $1 ${2-}" 0
}

# cx_ending: the status of a job that is over.
cx_broken_off() {
  case $? in 2 | 254) ;; *) return ;; esac
  [ ! "${cx_ending-}" ] || exit "$cx_ending"
  printf '%s: the launcher got no more processes or open files: end some, or raise the limits (%s)\n' "$cx_name" \
    'ulimit -u, ulimit -n, and those of the batch system' >&"$1"
  [ ! "${2-}" ] || kill -61 "$2"
  exit 125
}

# Sets cx_found to the absolute path of a program. Absolute, because a busybox sh prefers its own applets, and with the
# system directories behind PATH, because users often have no sbin there; last, what the single file may bring.
cx_find() {
  IFS=:
  for cx_directory in ${PATH-} /usr/bin /bin /usr/sbin /sbin "${cx_home-}/libexec"; do
    case $cx_directory in /*) ;; *) continue ;; esac
    if [ -f "$cx_directory/$1" ] && [ -x "$cx_directory/$1" ]; then
      cx_found=$cx_directory/$1
      unset IFS
      return 0
    fi
  done
  unset IFS
  cx_found=
  return 1
}

# What is not run by cx_find is found as that finds it, whatever the caller's PATH. Not where the command inherits it.
cx_add_system_path() {
  PATH=${PATH:+$PATH:}/usr/bin:/bin:/usr/sbin:/sbin
}

# Runs "$@" in place of this process, with SIGINT and SIGQUIT at their default. A shell ignores both in what it starts in
# the background, and no shell below could undo that. $cx_default: env (coreutils 8.31), perl, python, or none of them.
# A signal that the caller had ignored stays so: nohup and `&` in the caller's script mean what they say.
cx_exec_default_signals() {
  case $cx_default$cx_default_signals in
    *-) exec "$@" ;;
    env*)
      cx_find env
      exec "$cx_found" "--default-signal=${cx_default_signals#-}" "$@"
      ;;
    perl*)
      cx_find perl
        exec "$cx_found" -e '$SIG{$_} = "DEFAULT" for split /,/, shift; exec {$ARGV[0]} @ARGV; exit 125' \
        "${cx_default_signals#-}" "$@"
      ;;
    /*) exec "$cx_default" -I -S -c "$cx_python_default" "${cx_default_signals#-}" "$@" ;;
    *) exec "$@" ;;
  esac
}
cx_python_default='
import os, signal, sys
for name in sys.argv[1].split(",") + ["PIPE", "XFSZ"]:  # Python itself ignores the last two
    signal.signal(getattr(signal, "SIG" + name), signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])'

# Runs "$2..." in place of this process, which gets signal $1 when its parent dies.
# $cx_death: setpriv (util-linux 2.33), perl, the path of a Python, or none.
cx_exec_dying() {
  cx_signal=$1
  shift
  case $cx_death in
    setpriv)
      cx_find setpriv
      exec "$cx_found" --pdeathsig "$cx_signal" "$@"
      ;;
    perl)
      cx_find perl
        exec "$cx_found" -MConfig -e '
        my %number = (KILL => 9, XCPU => 24);
        syscall($Config{archname} =~ /aarch64/ ? 167 : 157, 1, $number{shift()}, 0, 0, 0) == 0 or exit 125;
        exec {$ARGV[0]} @ARGV; exit 125' "$cx_signal" "$@"
      ;;
    /*)
      exec "$cx_death" -I -S -c '
import ctypes, os, signal, sys
if ctypes.CDLL(None).prctl(1, int(getattr(signal, "SIG" + sys.argv[1]))) != 0:
    sys.exit(125)
for name in ["PIPE", "XFSZ"]:  # Python ignores them
    signal.signal(getattr(signal, "SIG" + name), signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])' "$cx_signal" "$@"
      ;;
    *) exec "$@" ;;
  esac
}

# The caller's settings for Node, the loader and OpenSSL are for the caller's programs.
cx_clean_node_environment() {
  unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT OPENSSL_CONF OPENSSL_MODULES SSL_CERT_FILE SSL_CERT_DIR
  unset NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE NODE_COMPILE_CACHE NODE_DEBUG NODE_ENV \
    NODE_TLS_REJECT_UNAUTHORIZED NODE_REPL_EXTERNAL_MODULE NODE_ICU_DATA NODE_USE_ENV_PROXY UV_USE_IO_URING
}
