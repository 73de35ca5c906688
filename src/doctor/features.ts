// What this host offers to launches, found by trying, each within two seconds: for `cvmfsexec --version`.
import { accessSync, constants } from 'node:fs';
import { findProgram } from '../launcher/find-program.ts';
import { tryRun } from './try-run.ts';

export interface Feature {
  readonly name: string;
  /** yes, no, a path: one line. */
  readonly found: string;
}

const LIMIT_MS = 2000;
const SPACES = ['--user', '--map-root-user', '--mount'];

/** As a launch with an upper layer of its own would mount it. */
const OVERLAY =
  'mount -t tmpfs tmpfs /tmp && cd /tmp && mkdir l u w m && mount -t overlay overlay m -o lowerdir=l,upperdir=u,workdir=w,userxattr';

/** Never rejects. */
export async function features(): Promise<Feature[]> {
  return Promise.all([
    tried('user namespaces', 'unshare', [...SPACES, 'true']),
    tried('pid namespaces', 'unshare', [...SPACES, '--pid', '--fork', '--mount-proc', 'true']),
    fuseDevice(),
    tried('kernel overlay', 'unshare', [...SPACES, 'sh', '-c', OVERLAY]),
    installed('fuse-overlayfs', 'fuse-overlayfs'),
    installed('fuse2fs', 'fuse2fs'),
    installed('fusermount', 'fusermount3', 'fusermount'),
    installed('apptainer', 'apptainer', 'singularity'),
  ]);
}

async function tried(name: string, program: string, args: readonly string[]): Promise<Feature> {
  const { succeeded, complaint } = await tryRun(program, args, LIMIT_MS);
  return { name, found: succeeded ? 'yes' : `no (${complaint})` };
}

async function installed(name: string, ...programs: string[]): Promise<Feature> {
  return { name, found: findProgram(...programs) ?? 'no' };
}

async function fuseDevice(): Promise<Feature> {
  const name = '/dev/fuse';
  try {
    accessSync(name, constants.R_OK | constants.W_OK);
    return { name, found: 'yes' };
  } catch (error) {
    return { name, found: `no (${(error as NodeJS.ErrnoException).code})` };
  }
}
