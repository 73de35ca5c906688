// Mounting by the optional package fuse-native, where fusermount is there but no Python and no Perl that could receive the
// descriptor. Only its libfuse is used, to have fusermount mount and to receive the descriptor in this process. What would
// serve the mount, slowly and by path, is kept from starting by a mount option that its other half does not know; fusermount
// is never told of that one.

import { readdirSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LauncherError } from '../error.ts';
import { type FusermountOptions, fusermount, fusermountOptions } from './mount.ts';

interface FuseNative {
  mount(done: (error: Error | null | undefined) => void): void;
}
type FuseNativeConstructor = new (
  directory: string,
  operations: object,
  options: { readonly fsname: string },
) => FuseNative;

const PACKAGE = 'fuse-native';
const NOT_TO_BE_SERVED = 'the_descriptor_is_served_by_cvmfs2';

/** What libfuse says on stderr about the option that is meant to fail. */
export const EXPECTED_COMPLAINT = `fuse: unknown option \`${NOT_TO_BE_SERVED}'\n`;

/** Resolves to the descriptor of a mount at `options.directory`. @throws LauncherError NO_RECEIVER, MOUNT_FAILED */
export async function mountByFuseNative(options: FusermountOptions): Promise<number> {
  fusermount();
  const Fuse = load();
  const before = new Set(fuseDescriptors());
  const fsname = [options.source, fusermountOptions(options), NOT_TO_BE_SERVED].join(',');
  const mount = new Fuse(options.directory, {}, { fsname });
  const failure = await new Promise<Error | null | undefined>((resolve) => mount.mount(resolve));
  const fd = fuseDescriptors().find((number) => !before.has(number));
  if (fd !== undefined) return fd;
  const reason = failure?.message ?? 'no descriptor was received';
  throw new LauncherError('MOUNT_FAILED', `cannot mount ${options.directory} by fusermount: ${reason}`, failure);
}

function load(): FuseNativeConstructor {
  try {
    return createRequire(process.argv[1])(PACKAGE) as FuseNativeConstructor;
  } catch (cause) {
    throw new LauncherError(
      'NO_RECEIVER',
      'fusermount passes the mount over a socket, and there is nothing to receive it: install python3 or perl, ' +
        'or reinstall this package without --omit=optional (it brings fuse-native)',
      cause,
    );
  }
}

function fuseDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/fuse';
      } catch {
        return false;
      }
    });
}
