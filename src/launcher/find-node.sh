# Sets cx_node to a Node that is fit to run the bundle. Sourced by bin/*; needs cx_home, the package's directory.
# shellcheck shell=sh

cx_find_node() {
  [ -e "$cx_home/dist/start.cjs" ] || cx_die "$cx_home/dist is missing: run 'npm run build' in the package's directory"
  # The one that comes with the package: in its own node_modules, hoisted beside it, or unpacked next to bin.
  for cx_node in "$cx_home"/node_modules/node-linux-*/bin/node "$cx_home"/../node-linux-*/bin/node \
    "$cx_home/node/bin/node"; do
    [ -x "$cx_node" ] && return
  done
  # Only a Node of unknown age is asked for its version: the question costs as much as a start.
  cx_find node || cx_die 'no Node found: reinstall the package without --omit=optional, or put Node >= 22.20 on PATH'
  cx_node=$cx_found
  cx_version=$("$cx_node" --version 2>/dev/null)
  cx_major=${cx_version#v} cx_major=${cx_major%%.*}
  cx_minor=${cx_version#*.} cx_minor=${cx_minor%%.*}
  case $cx_major-$cx_minor in *[!0-9-]* | -* | *-) cx_die "$cx_node does not run: put Node >= 22.20 on PATH" ;; esac
  [ "$cx_major" -gt 22 ] || { [ "$cx_major" -eq 22 ] && [ "$cx_minor" -ge 20 ]; } ||
    cx_die "$cx_node is $cx_version: reinstall the package without --omit=optional, or put Node >= 22.20 on PATH"
}

# Node crashes, with a stack trace or without a word, where it has less than this.
cx_check_limits() {
  cx_limit=$(ulimit -v)
  [ "$cx_limit" = unlimited ] || [ "$cx_limit" -ge 1800000 ] ||
    cx_die "an address space of 2 GB is needed, and \`ulimit -v\` allows $cx_limit kB: raise or lift it"
  cx_limit=$(ulimit -n)
  [ "$cx_limit" = unlimited ] || [ "$cx_limit" -ge 64 ] ||
    cx_die "at least 64 open files are needed, and \`ulimit -n\` allows $cx_limit: raise it to 512 or more"
}

# Runs "$@", words for Node, in place of this process. A Node that lies unpacked next to bin may have a loader and libraries
# beside it, and runs by those on systems whose own are too old or of another kind.
cx_exec_node() {
  case $cx_node in
    "$cx_home"/node/bin/node)
      for cx_loader in "$cx_home"/node/lib/ld-linux-*.so.*; do
        [ ! -x "$cx_loader" ] || exec "$cx_loader" --library-path "${cx_loader%/*}" "$cx_node" "$@"
      done
      ;;
  esac
  exec "$cx_node" "$@"
}
