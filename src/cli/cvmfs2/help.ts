// `cvmfs2 --help` and `--version`.

export function helpText(): string {
  return `Examples:
  apptainer exec --fusemount "host:/path/bin/cvmfs2 -o config=/path/site.conf atlas.cern.ch /cvmfs/atlas.cern.ch" IMAGE COMMAND
  unshare -Urm sh -c 'mkdir -p /tmp/a; cvmfs2 atlas.cern.ch /tmp/a; ls /tmp/a'

Usage: cvmfs2 [-f] [-d] [-o OPTION[,OPTION]...] REPOSITORY MOUNTPOINT

Serves a CernVM-FS repository at MOUNTPOINT, a directory, or on /dev/fd/N, a descriptor of /dev/fuse that a container
runtime has mounted. Returns when it is mounted and goes on in the background.

  -f, -o foreground       stay in the foreground
  -d, -o debug            print every request and its reply on stderr (implies -f)
  -k, -o parse            print the parameters, mount nothing
  -o config=FILE[:FILE]   read these configuration files instead of those in /etc/cvmfs
  -o config=DIR           or those in this directory
  -o CVMFS_NAME=VALUE     set a parameter; the last wins
  -o uid=N, -o gid=N      work with the rights of this user and group (as root)
  -o grab_mountpoint      give the mount point to that user first
  -o allow_other          let other users in
  -o fsname=NAME          what /proc/mounts shows (cvmfs2)
  -o noexec, noatime      as for mount(8); ro, nosuid and nodev always hold
  -h, --help; -V, --version

A directory is mounted by mount(8) if one is root, if only in a user namespace; else by fusermount3 or fusermount. Other
options of the reference client and of mount(8) are accepted and mean nothing here.

Exit codes: 0 mounted (with -f: unmounted, or ended by a signal), 2 options or configuration, 3 mount point,
4 cannot mount, 6 serving failed, 9 cache, 15 keys, 16 the repository cannot be verified or reached, 20 already mounted,
22 tag or history, 25 blacklisted, 1 anything else. One line on stderr says why.
`;
}

export function versionText(): string {
  return `CernVM-FS version 2.12.0 (cvmfsexec ${process.env.CVMFSEXEC_VERSION ?? 'development'})\n\n`;
}
