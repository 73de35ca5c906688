# What a hub knows about an image beside its files: its manifest and its OCI configuration, both JSON, which Node reads
# (src/cli/image-facts.ts). Sourced by start.sh.
# shellcheck shell=sh

# Sets cx_image_tree or cx_image_layers, and cx_oci, from cx_manifest.
cx_read_manifest() {
  cx_facts=$(cx_ask_node manifest "$cx_manifest") || exit 125
  eval "$cx_facts"
}

# Sets cx_oci_variables (NAME=VALUE) and cx_oci_command, both words in quotes, from cx_oci.
cx_read_oci_configuration() {
  [ "$cx_oci" ] || return 0
  cx_facts=$(cx_ask_node configuration "$cx_oci") || exit 125
  eval "$cx_facts"
}

cx_ask_node() {
  cx_clean_node_environment
  cx_exec_node "$cx_home/dist/start.cjs" image-facts "$@" </dev/null
}
