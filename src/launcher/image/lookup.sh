# From the name of an image to its files. Sourced by start.sh.
# shellcheck shell=sh

# Sets cx_image_tree to the directory that holds the file tree of $cx_image, or cx_image_layers to those of its layers, topmost first,
# with colons between; cx_oci to the hub's OCI configuration of the image, if there is one.
cx_find_image() {
  cx_image_tree='' cx_image_layers='' cx_oci='' cx_manifest=
  case $cx_image in
    '') cx_die 'option --image needs a directory or the name of an image' ;;
    /*) cx_tree=$cx_image ;;
    . | ./* | .. | ../*) cx_tree=$cx_pwd/$cx_image ;;
    *) cx_look_up_image "$cx_image" ;;
  esac
  case $cx_tree in */manifest.json) cx_manifest=$cx_tree ;; esac
  [ ! -f "$cx_tree/manifest.json" ] || [ -d "$cx_tree/etc" ] || cx_manifest=$cx_tree/manifest.json
  if [ "$cx_manifest" ]; then
    cx_read_manifest
    [ "$cx_image_tree" ] || return 0
  else
    [ ! -f "$cx_tree" ] || cx_die "$cx_tree is a file: only unpacked images can be run (see singcvmfs for others)"
    [ -d "$cx_tree" ] || cx_die "there is no image directory $cx_tree"
    [ ! -d "$cx_tree/layerfs" ] || cx_tree=$cx_tree/layerfs
    # A runtime bundle.
    [ ! -f "$cx_tree/config.json" ] || [ ! -d "$cx_tree/rootfs" ] || cx_oci=$cx_tree/config.json cx_tree=$cx_tree/rootfs
    cx_image_tree=$cx_tree
  fi
  # Without links, and with that in a hub without the colon of the tag.
  { cd -P -- "$cx_image_tree"; } 2>/dev/null || cx_die "cannot enter the image directory $cx_image_tree"
  cx_image_tree=$(pwd -P && echo .)
  cx_image_tree=${cx_image_tree%??}
  cd /
  case $cx_image_tree in
    /cvmfs/*/.flat/??/*)
      # The configuration of a flat image, which is named by the configuration's hash, as containers/storage names it.
      for cx_oci in "${cx_image_tree%/.flat/*}/podmanStore/overlay-images/${cx_image_tree##*/}/="*; do break; done
      [ -f "$cx_oci" ] || cx_oci=
      ;;
  esac
  [ "$cx_image_tree" != / ] || cx_die 'the root directory of the host cannot be an image'
}

# Looks for image $1 in the hubs: repositories laid out as REGISTRY/REPOSITORY:TAG. Sets cx_tree, or cx_manifest for one
# that is there in layers only.
cx_look_up_image() {
  cx_short=${1#docker://}
  case $cx_short in docker.io/*) cx_short=${cx_short#docker.io/} ;; esac
  case /$cx_short/ in */./* | */../* | *//*) cx_die "'$1' is no name of an image, as debian:stable: a directory is given as ./NAME or /NAME" ;; esac
  # A hub names an image by its tag, or else by its digest.
  case ${cx_short##*/} in
    *:*@*) cx_short=${cx_short%@*} ;;
    *@*) cx_short=${cx_short%@*}:${cx_short##*@} ;;
    *:*) ;;
    *) cx_short=$cx_short:latest ;;
  esac
  cx_docker=registry.hub.docker.com
  cx_tree='' cx_hubs=
  for cx_hub in $cx_names /cvmfs/*; do
    cx_hub=/cvmfs/${cx_hub#/cvmfs/}
    [ -d "$cx_hub" ] || continue
    case "$cx_hubs " in *" ${cx_hub#/cvmfs/} "*) continue ;; esac
    cx_hubs="$cx_hubs ${cx_hub#/cvmfs/}"
    for cx_tree in "$cx_short" "$cx_docker/library/$cx_short" "$cx_docker/$cx_short"; do
      cx_manifest=$cx_hub/.metadata/$cx_tree/manifest.json
      cx_tree=$cx_hub/$cx_tree
      [ ! -d "$cx_tree" ] || { cx_manifest=''; return 0; }
      [ ! -f "$cx_manifest" ] || return 0
    done
    for cx_tree in "$cx_hub"/*/library/"$cx_short" "$cx_hub"/*/"$cx_short"; do
      [ ! -d "$cx_tree" ] || { cx_manifest=''; return 0; }
    done
  done
  cx_die "there is no image '$1' in${cx_hubs:- any repository that is mounted}: name its repository (a hub) too, or give a directory as ./NAME or /NAME"
}
