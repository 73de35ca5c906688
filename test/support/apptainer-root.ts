// A root directory of Debian sid with apptainer in it, which no older Debian has.
import { debianRoot } from './debian-root.ts';

const PACKAGES = [
  'apptainer',
  'busybox-static',
  'fuse2fs',
  'fuse3',
  'fuse-overlayfs',
  'procps',
  'uidmap',
  'util-linux',
];

/** Its directory, or why there is none. With CVMFSEXEC_TEST_APPTAINER=required there must be one. */
export function apptainerRoot(): { directory: string } | { missing: string } {
  const root = debianRoot({
    name: 'sid-apptainer-fuse2fs',
    suite: 'sid',
    packages: PACKAGES,
    proof: 'usr/bin/apptainer',
  });
  if ('missing' in root && process.env.CVMFSEXEC_TEST_APPTAINER === 'required') throw new Error(root.missing);
  return root;
}
