// A mount being served: the connection's protocol on a descriptor of /dev/fuse.

import { writeSync } from 'node:fs';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Device } from './device.ts';
import { FuseError, systemCode } from './fuse-error.ts';
import type { Negotiated } from './init.ts';
import { Notifier, resendMessage } from './notify.ts';

export interface SessionOptions extends ConnectionOptions {
  /** Of /dev/fuse, opened once by whoever mounts it. The session owns it. */
  fd: number;
}

/**
 * Serves a file system. The process must never itself touch the mount (stat, open, chdir, a blocking child that does): it would wait for
 * its own answer.
 */
export class Session {
  /** Resolves when INIT was answered; rejects if the mount ends before. */
  readonly ready: Promise<Negotiated>;
  readonly notify: Notifier;
  readonly #connection: Connection;
  readonly #device: Device;
  readonly #adopted: boolean;
  #rejectReady!: (error: FuseError) => void;

  constructor(options: SessionOptions) {
    this.#connection = new Connection(options, { write: (bytes, length) => this.#device.write(bytes, length) });
    this.#device = new Device(options.fd, this.#connection.request.bytes, () => this.#connection.receive());
    this.#adopted = options.negotiated !== undefined;
    this.notify = new Notifier(this.#device, this.#connection.locks);
    this.ready = Promise.race([
      this.#connection.ready,
      new Promise<never>((_, reject) => {
        this.#rejectReady = reject;
      }),
    ]);
    this.ready.catch(() => {});
  }

  /** Requests that wait for something not local. */
  get pendingCount(): number {
    return this.#connection.pendingCount;
  }

  /**
   * Serves until the mount ends. With `negotiated` the requests that a dead server left unanswered are asked for first; a kernel before
   * 6.9 cannot repeat them, and their callers wait until the mount is aborted.
   */
  async start(): Promise<void> {
    if (this.#adopted) resend(this.#device.fd);
    try {
      await this.#device.start();
    } finally {
      this.#connection.end();
      this.#rejectReady(new FuseError('ended', 'the FUSE mount ended before the kernel sent INIT'));
    }
  }
}

function resend(fd: number): void {
  try {
    writeSync(fd, resendMessage());
  } catch (error) {
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'ENODEV') throw error;
  }
}
