# Text as a part of other text. Sourced by the shell scripts of a launch; builtins only.
# shellcheck shell=sh

# Sets cx_escaped to $1 as a field of fstab.
cx_escape() {
  cx_escaped=$1
  case $1 in *[\ \	\\]* | *'
'*) ;; *) return ;; esac
  cx_escaped='' cx_rest=$1
  while [ "$cx_rest" ]; do
    cx_next=${cx_rest#?}
    case ${cx_rest%"$cx_next"} in
      ' ') cx_escaped="$cx_escaped\\040" ;;
      '	') cx_escaped="$cx_escaped\\011" ;;
      '
') cx_escaped="$cx_escaped\\012" ;;
      \\) cx_escaped="$cx_escaped\\134" ;;
      *) cx_escaped=$cx_escaped${cx_rest%"$cx_next"} ;;
    esac
    cx_rest=$cx_next
  done
}

# Sets cx_quoted to $1 as one word for eval.
cx_quote() {
  cx_quoted=
  cx_rest=$1
  while :; do
    case $cx_rest in
      *\'*) cx_quoted="$cx_quoted${cx_rest%%\'*}'\\''" cx_rest=${cx_rest#*\'} ;;
      *) break ;;
    esac
  done
  cx_quoted="'$cx_quoted$cx_rest'"
}
