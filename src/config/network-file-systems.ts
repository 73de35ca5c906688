// Which file systems are shared between machines: told by the type that statfs(2) reports.
import { statfsSync } from 'node:fs';

/** `f_type` and the name people know it by. */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x00c36400, 'CephFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0xaad7aaea, 'PanFS'],
  [0x20030528, 'OrangeFS'],
  [0x01021997, '9P'],
  [0x013111a8, 'IBRIX'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
]);

/** Gives the `f_type` of the file system that holds a path. Tests put another one in its place. */
export type FileSystemType = (path: string) => number;

const systemType: FileSystemType = (path) => statfsSync(path).type;

/** The name of the network file system that holds `path`; undefined: it is local, or cannot be told. */
export function networkFileSystem(path: string, typeOf: FileSystemType = systemType): string | undefined {
  try {
    // Negative where the kernel's number is a signed one.
    return NETWORK.get(typeOf(path) >>> 0);
  } catch {
    return undefined;
  }
}
