# mountrepo and umountrepo inside of a job: the job itself mounts, under /cvmfs and with the parameters of the launch
# (docs/inside.md). Sourced by both; cx_name is the program's.
# shellcheck shell=sh

# Asks the job by $1 for each of the other words, and ends with the first failure's exit status; returns outside of a job.
cx_delegate() {
  [ "${CVMFSEXEC_CMDFD-}" ] && [ "$1" ] || return 0
  cx_program=$1
  shift
  [ $# -gt 0 ] || return 0
  cx_lazy=
  for cx_word; do
    case $cx_word in
      -h | --help) return 0 ;;
      -z | --lazy) cx_lazy=-z ;;
      -*) cx_die "inside of a job there are no options but -z of umountrepo: $cx_name REPOSITORY...; see docs/inside.md" ;;
    esac
  done
  [ ! "$cx_lazy" ] || [ "$cx_name" = umountrepo ] || cx_die "-z is an option of umountrepo"
  cx_status=0
  for cx_word; do
    # shellcheck disable=SC2086 # an option or nothing
    case $cx_word in
      -*) ;;
      *) "$cx_program" $cx_lazy "$cx_word" || [ $cx_status != 0 ] || cx_status=$? ;;
    esac
  done
  exit $cx_status
}
