# The two processes that init starts beside the setting up of the root: server and command. Sourced by init.
# shellcheck shell=sh

# Runs the server. stdin: `root DIRECTORY` when /cvmfs can be mounted upon. stdout: `ready` when all is mounted.
# Stays as its parent, to tell init when it ends: 125 means that it has explained itself.
cx_serve() {
  # Node puts these back to default and the server catches them; this shell must not die of them either.
  trap '' 1 2 3 10 12 15 20 21 22
  # Only the words before `--`: rotated to the end, the rest shifted away.
  cx_count=0
  while [ $cx_count -lt "$cx_words" ]; do
    set -- "$@" "$1"
    shift
    cx_count=$((cx_count + 1))
  done
  shift $(($# - cx_words))
  for cx_fd in $cx_taken $cx_stdin $cx_spare; do eval "exec $cx_fd<&-"; done
  # The caller's settings for Node, the loader and OpenSSL are for the command.
  unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT OPENSSL_CONF OPENSSL_MODULES SSL_CERT_FILE SSL_CERT_DIR
  unset NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE NODE_COMPILE_CACHE NODE_DEBUG NODE_ENV \
    NODE_TLS_REJECT_UNAUTHORIZED NODE_REPL_EXTERNAL_MODULE NODE_ICU_DATA NODE_USE_ENV_PROXY UV_USE_IO_URING
  CVMFSEXEC_DIRECTORY=$cx_pwd CVMFSEXEC_CLOSE=${cx_close# }
  export CVMFSEXEC_DIRECTORY CVMFSEXEC_CLOSE
  cd / || exit 125 # the caller's directory is not where it was once the root is changed
  # This shell's own remark about a killed server would only confuse.
  eval "exec $cx_spare>&2 2>/dev/null"
  (
    eval "exec 2>&$cx_spare $cx_spare>&-"
    exec "$cx_node" --disable-sigusr1 --v8-pool-size=1 --max-semi-space-size=2 "$cx_home/dist/start.cjs" server "$@"
  )
  cx_status=$?
  case $cx_status in
    125) kill -61 $$ ;;
    # The whole group was signalled, and Node was not yet so far as to catch it: passed on as from the monitor.
    129 | 130 | 131 | 138 | 140 | 143) kill -$((cx_status - 128 + 34)) $$ ;;
    *) kill -60 $$ ;;
  esac
}

# Becomes the starter of the command, and then the command.
cx_start_command() {
  shift $((cx_words + 1))
  cx_exec_default_signals /bin/sh "$cx_lib/starter.sh" "$cx_lib" "$cx_stdin" "$cx_spare" "$cx_userns" "$cx_uid" \
    "$cx_gid" "$cx_shut" "$cx_pwd" "$@"
}
