# The options about an image. Sourced by start.sh.
# shellcheck shell=sh

# Reads the options as words.sh found them. Sets cx_image, cx_binds and cx_variables (words in quotes), cx_inside (directory to start in), and cx_contain, cx_no_home
# and cx_cleanenv, if they were given.
cx_read_image_options() {
  cx_image='' cx_binds='' cx_variables='' cx_inside='' cx_contain='' cx_no_home='' cx_cleanenv=
  while [ $# -gt 0 ]; do
    case $1 in
      --image) cx_image=$2 ;;
      --pwd) cx_inside=$2 ;;
      --bind)
        cx_quote "$2"
        cx_binds="$cx_binds $cx_quoted"
        ;;
      --env)
        cx_quote "$2"
        cx_variables="$cx_variables $cx_quoted"
        ;;
      --contain) cx_contain=1 ;;
      --no-home) cx_no_home=1 ;;
      --cleanenv) cx_cleanenv=1 ;;
    esac
    case $1 in --image | --pwd | --bind | --env) shift ;; esac
    shift
  done
}
