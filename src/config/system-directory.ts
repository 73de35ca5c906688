// Where the machine's configuration is: /etc/cvmfs, or what the package brings in its place (docs/one-file.md).
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const USUAL = '/etc/cvmfs';
/** The bundle is started by dist/start.cjs of the package. */
const CARRIED = join(dirname(process.argv[1] ?? '/'), '..', USUAL);

export const SYSTEM_DIRECTORY = existsSync(CARRIED) ? CARRIED : USUAL;

/** Configuration names files, such as keys, by where they usually are. */
export function onDisk(path: string): string {
  return SYSTEM_DIRECTORY !== USUAL && path.startsWith(`${USUAL}/`)
    ? SYSTEM_DIRECTORY + path.slice(USUAL.length)
    : path;
}
