import { writeSync } from 'node:fs';
import { systemCode } from './fuse-error.ts';

/** Whether `fd`, of /dev/fuse, belongs to a mount. Told by how the kernel refuses what is too short to be a reply. */
export function isMounted(fd: number): boolean {
  try {
    writeSync(fd, '?');
  } catch (error) {
    return systemCode(error) !== 'EPERM';
  }
  return true;
}
