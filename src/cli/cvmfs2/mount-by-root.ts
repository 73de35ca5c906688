// A mount made by mount(8), which needs to be root, if only in a user namespace.
import { chmodSync, chownSync } from 'node:fs';
import { mountOptions } from '../../fuse/mount-options.ts';
import { openFuse } from '../../launcher/fuse-mount.ts';
import { CHILD_FD, runMountProgram } from '../../launcher/mount-program.ts';
import { ExitCode, MountFailure } from './exit-codes.ts';
import { mountAt } from './mount-point.ts';
import type { MountOptionWords } from './options.ts';
import type { OwnMount } from './own-mount.ts';

export class MountByRoot implements OwnMount {
  /** Of /dev/fuse, opened with the rights of whoever started us. */
  readonly #fd: number;
  readonly #directory: string;
  readonly #options: Readonly<MountOptionWords>;
  readonly #uid: number;
  readonly #gid: number;
  #device: string | undefined;
  #mounting: Promise<void> | undefined;
  #unwanted = false;

  /**
   * Takes the device and the mount point; nothing is mounted yet. From now on this process has the rights of the options'
   * `uid` and `gid`: only the programs that mount and unmount have ours.
   */
  constructor(directory: string, options: Readonly<MountOptionWords>) {
    this.#directory = directory;
    this.#options = options;
    this.#uid = options.uid ?? process.getuid!();
    this.#gid = options.gid ?? process.getgid!();
    this.#fd = openFuse();
    if (options.grabMountPoint) this.#grab();
    this.#giveUpRights();
  }

  async descriptor(): Promise<number> {
    return this.#fd;
  }

  mount(): Promise<void> {
    this.#mounting = this.#mount();
    return this.#mounting;
  }

  async #mount(): Promise<void> {
    if (this.#unwanted) return;
    const { allowOther, source, restrictions } = this.#options;
    const owner = { uid: this.#uid, gid: this.#gid };
    const options = [mountOptions({ fd: CHILD_FD, ...owner, readOnly: true, allowOther }), ...restrictions];
    const args = ['-i', '-t', 'fuse', '-o', options.join(','), source, this.#directory];
    try {
      await runMountProgram('mount', args, { fd: this.#fd, as: REAL });
      this.#device = mountAt(this.#directory)?.device;
    } catch (cause) {
      const reason = `cannot mount ${this.#directory}: ${(cause as Error).message}`;
      throw new MountFailure(ExitCode.mount, reason, cause);
    }
  }

  /** What somebody else has mounted meanwhile stays. */
  async unmount(): Promise<void> {
    this.#unwanted = true;
    await this.#mounting?.catch(() => {});
    if (this.#device === undefined || mountAt(this.#directory)?.device !== this.#device) return;
    await runMountProgram('umount', ['-i', '-l', this.#directory], { as: REAL }).catch(() => {});
  }

  #grab(): void {
    try {
      chownSync(this.#directory, this.#uid, this.#gid);
      chmodSync(this.#directory, 0o755);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new MountFailure(ExitCode.permission, `cannot grab the mount point ${this.#directory} (${code})`, cause);
    }
  }

  #giveUpRights(): void {
    const { uid, gid } = this.#options;
    if (uid === undefined && gid === undefined) return;
    try {
      process.setgroups?.([]);
      process.setegid?.(this.#gid);
      process.seteuid?.(this.#uid);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const reason = `cannot work as user ${this.#uid}, group ${this.#gid} (${code}): start as root`;
      throw new MountFailure(ExitCode.permission, reason, cause);
    }
  }
}

/** Of whoever started us. */
const REAL = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
