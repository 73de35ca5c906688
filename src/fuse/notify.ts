// Messages to the kernel about what it keeps: fuse_out_header (len u32, code i32, unique u64 = 0) and a body.
// They wait for locks that unanswered requests may hold, so they are never written on the thread that answers, and one at a time. Whether
// a kernel knows a code is found by trying.

import type { Device } from './device.ts';
import { FuseError } from './fuse-error.ts';
import { directoryLock, type KernelLock, type KernelLocks, pagesLock } from './kernel-locks.ts';

const HEADER_BYTES = 16;
const INVAL_INODE = 2;
const INVAL_ENTRY = 3;
const RESEND = 7;
const INC_EPOCH = 8;
const EXPIRE_ONLY = 1;
const TWO_32 = 0x1_0000_0000;

export type NotificationOutcome =
  | 'done'
  /** The kernel had nothing of it. */
  | 'not-cached'
  /** This kernel does not know such a message. */
  | 'unsupported'
  /** The mount is gone, and all that was cached with it. */
  | 'ended';

/** How much of an inode is invalidated. */
export type InodePart = 'attributes' | 'attributes and content';

function message(code: number, bodyBytes: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(HEADER_BYTES + bodyBytes);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeInt32LE(code, 4);
  return bytes;
}

function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value >>> 0, at);
  bytes.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

/** A repeat of all requests that were read and not answered, with bit 63 set in their unique. 16 bytes. */
export function resendMessage(): Buffer<ArrayBuffer> {
  return message(RESEND, 0);
}

/** ino u64, off i64, len i64; a negative off means attributes only. */
export function invalidateInodeMessage(node: number, part: InodePart): Buffer<ArrayBuffer> {
  const bytes = message(INVAL_INODE, 24);
  writeU64(bytes, node, 16);
  if (part === 'attributes') bytes.writeBigInt64LE(-1n, 24);
  return bytes;
}

/** parent u64, namelen u32, flags u32, name, NUL. `name` in Latin-1. */
export function invalidateEntryMessage(parent: number, name: string, expireOnly: boolean): Buffer<ArrayBuffer> {
  const bytes = message(INVAL_ENTRY, 16 + name.length + 1);
  writeU64(bytes, parent, 16);
  bytes.writeUInt32LE(name.length, 24);
  bytes.writeUInt32LE(expireOnly ? EXPIRE_ONLY : 0, 28);
  bytes.write(name, 32, 'latin1');
  return bytes;
}

export class Notifier {
  readonly #device: Device;
  readonly #locks: KernelLocks;
  #last: Promise<unknown> = Promise.resolve();

  constructor(device: Device, locks: KernelLocks) {
    this.#device = device;
    this.#locks = locks;
  }

  /** Makes the kernel ask anew for a node's attributes and, for a directory its list, for a file its pages. */
  invalidateInode(node: number, part: InodePart = 'attributes and content'): Promise<NotificationOutcome> {
    const lock = part === 'attributes' ? undefined : pagesLock(node);
    return this.#send(invalidateInodeMessage(node, part), lock);
  }

  /**
   * Makes the kernel forget a name, or that there is none, with all below it. `expireOnly` asks for a LOOKUP at the next use instead, and
   * keeps all if that gives the same node (before Linux 6.2 it is the same as without).
   */
  invalidateEntry(parent: number, name: string, expireOnly = false): Promise<NotificationOutcome> {
    return this.#send(invalidateEntryMessage(parent, name, expireOnly), directoryLock(parent));
  }

  /** Makes the kernel forget every name of the mount at its next use (Linux 6.16). The root's list is not among it. */
  incrementEpoch(): Promise<NotificationOutcome> {
    return this.#send(message(INC_EPOCH, 0));
  }

  /** See resendMessage. Only for a server that has just adopted the descriptor of a dead one (Linux 6.9). */
  resend(): Promise<NotificationOutcome> {
    return this.#send(resendMessage());
  }

  #send(bytes: Buffer, lock?: KernelLock): Promise<NotificationOutcome> {
    const outcome = this.#last.then(() => this.#locks.around(lock, () => this.#write(bytes)));
    this.#last = outcome.catch(() => {});
    return outcome;
  }

  async #write(bytes: Buffer): Promise<NotificationOutcome> {
    const code = await this.#device.writeBlocking(bytes);
    switch (code) {
      case '':
        return 'done';
      case 'ENOENT':
      case 'ENOTDIR':
      case 'ENAMETOOLONG':
        return 'not-cached';
      case 'EINVAL':
      case 'ENOSYS':
        return 'unsupported';
      case 'ENODEV':
      case 'ENOTCONN':
      case 'ECONNABORTED':
      case 'EPERM':
        return 'ended';
      default:
        throw new FuseError(
          'notification-refused',
          `the kernel refused a FUSE notification of ${bytes.length} bytes: ${code}`,
        );
    }
  }
}
