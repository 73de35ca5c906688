# Compares the caller's environment, given as arguments NAME=VALUE by xargs, with what this shell has of it, and prints,
# as shell code for starter.sh, what must be put right. Shells drop variables whose names are no identifiers (exported
# functions of bash, names with a dot), count SHLVL up, and set _, IFS, PPID, PWD and others as they think right.
# shellcheck shell=sh

# Prints $1, then $2 in single quotes, then a semicolon.
cx_print() {
  cx_quoted='' cx_rest=$2
  while :; do
    case $cx_rest in
      *\'*) cx_quoted="$cx_quoted${cx_rest%%\'*}'\\''" cx_rest=${cx_rest#*\'} ;;
      *) break ;;
    esac
  done
  printf "%s'%s%s';" "$1" "$cx_quoted" "$cx_rest"
}

# The code adds the entry in quotes, so that it is one word when starter.sh evaluates the list.
cx_print_assignment() {
  cx_quoted='' cx_rest=$1
  while :; do
    case $cx_rest in
      *\'*) cx_quoted="$cx_quoted${cx_rest%%\'*}'\\''" cx_rest=${cx_rest#*\'} ;;
      *) break ;;
    esac
  done
  cx_print 'cx_assignments="$cx_assignments "' "'$cx_quoted$cx_rest'"
}

cx_seen=
for cx_entry; do
  cx_variable=${cx_entry%%=*}
  case $cx_variable in
    "$cx_entry") ;; # without `=`: env could not make it either
    LC_ALL) ;; # changed by starter.sh for this shell only
    PWD | OLDPWD) # changed by starter.sh later
      cx_seen="$cx_seen $cx_variable"
      cx_print "cx_env_$cx_variable=" "${cx_entry#*=}"
      ;;
    PPID) cx_print_assignment "$cx_entry" ;; # another one in each shell: that it is equal here means nothing
    '' | [0-9]* | *[!A-Za-z0-9_]*) cx_print_assignment "$cx_entry" ;;
    *)
      case $cx_variable in _ | SHLVL) cx_seen="$cx_seen $cx_variable" ;; esac
      eval "cx_here=\${$cx_variable-}"
      # bash changes _ and SHLVL once more when it starts a program.
      case ${BASH_VERSION:+bash}$cx_variable in
        bash_ | bashSHLVL) cx_print_assignment "$cx_entry" ;;
        *) [ "$cx_here" = "${cx_entry#*=}" ] || cx_print_assignment "$cx_entry" ;;
      esac
      ;;
  esac
done
printf 'cx_seen="$cx_seen%s ";' "$cx_seen"
