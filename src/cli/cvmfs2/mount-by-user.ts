// A mount made by fusermount: for ordinary users. The descriptor comes over a socket; a program of another language receives
// it and then becomes this one, started again with what it needs to know in the environment.
import { mountByFuseNative } from '../../launcher/fusermount/fuse-native.ts';
import { type FusermountOptions, fusermountUnmount, receiverWords } from '../../launcher/fusermount/mount.ts';
import { mountAt } from './mount-point.ts';
import type { MountOptionWords } from './options.ts';
import type { OwnMount } from './own-mount.ts';

/** Its value is `NUMBER:DIRECTORY`. */
const VARIABLE = 'CVMFS2_MOUNTED';

export interface Received {
  readonly fd: number;
  readonly directory: string;
}

/** What this process was given by a receiver. Programs that it starts are not. */
export function received(): Received | undefined {
  const value = process.env[VARIABLE];
  delete process.env[VARIABLE];
  const [, fd, directory] = /^(\d+):(\/.*)$/s.exec(value ?? '') ?? [];
  return fd === undefined ? undefined : { fd: Number(fd), directory };
}

/** Words before the program's own; undefined where no program can receive: then MountByUser mounts by itself. */
export function receiver(directory: string, options: Readonly<MountOptionWords>): string[] | undefined {
  return receiverWords({ ...options, directory }, VARIABLE);
}

/** Becomes `words`, in this very process. */
export function become(words: readonly string[]): never {
  process.removeAllListeners('warning'); // execve is said to be experimental
  process.execve!(words[0], [...words], process.env as Record<string, string>);
  throw new Error(`cannot start ${words[0]}`);
}

export class MountByUser implements OwnMount {
  readonly #directory: string;
  readonly #options: FusermountOptions;
  #fd: number | undefined;
  #device: string | undefined;

  /** `fd`: mounted already. */
  constructor(directory: string, options: Readonly<MountOptionWords>, fd?: number) {
    this.#directory = directory;
    this.#options = { ...options, directory };
    this.#fd = fd;
    if (fd !== undefined) this.#device = mountAt(directory)?.device;
  }

  async descriptor(): Promise<number> {
    if (this.#fd === undefined) {
      this.#fd = await mountByFuseNative(this.#options);
      this.#device = mountAt(this.#directory)?.device;
    }
    return this.#fd;
  }

  async mount(): Promise<void> {}

  /** What somebody else has mounted meanwhile stays. */
  async unmount(): Promise<void> {
    if (this.#device === undefined || mountAt(this.#directory)?.device !== this.#device) return;
    await fusermountUnmount(this.#directory, true).catch(() => {});
  }
}
