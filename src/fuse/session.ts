// A mount being served: the connection's protocol on a descriptor of /dev/fuse.

import { writeSync } from 'node:fs';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Device } from './device.ts';
import { FuseError, systemCode } from './fuse-error.ts';
import type { Negotiated } from './init.ts';
import { releaseLostRequests } from './lost-requests.ts';
import { Notifier, resendMessage } from './notify.ts';
import { Opcode } from './opcodes.ts';
import type { Caller } from './operations.ts';

export interface SessionOptions extends ConnectionOptions {
  /** Of /dev/fuse, opened once by whoever mounts it. The session owns it. */
  fd: number;
  /** Another server had it before, and is dead: what that left unanswered is taken over, as soon as it is mounted. */
  adopted?: boolean;
  /**
   * Called when the kernel cannot repeat what an adopted descriptor's server left unanswered: has another process ask something of the
   * mount, whose request tells which numbers are concerned.
   */
  askSomething?: () => void;
  /** Treats the kernel as one before 6.9, which cannot repeat requests. For tests. */
  withoutResend?: boolean;
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
  readonly #withoutResend: boolean;
  readonly #askSomething: (() => void) | undefined;
  #receive: () => void;
  #rejectReady!: (error: FuseError) => void;

  constructor(options: SessionOptions) {
    this.#connection = new Connection(options, { write: (bytes, length) => this.#device.write(bytes, length) });
    this.#device = new Device(options.fd, this.#connection.request.bytes, () => this.#receive());
    this.#receive = () => this.#connection.receive();
    this.#adopted = options.adopted ?? false;
    this.#withoutResend = options.withoutResend ?? false;
    this.#askSomething = options.askSomething;
    this.notify = new Notifier(this.#device, this.#connection.locks);
    this.ready = Promise.race([
      this.#connection.ready,
      new Promise<never>((_, reject) => {
        this.#rejectReady = reject;
      }),
    ]);
    this.ready.catch(() => {});
  }

  /** Whose request is being answered, or was the last one: one object, filled anew for each. */
  get caller(): Readonly<Caller> {
    return this.#connection.caller;
  }

  /** Requests that wait for something not local. */
  get pendingCount(): number {
    return this.#connection.pendingCount;
  }

  /** Serves until the mount ends. An adopted one begins with what the dead server had read and not answered. */
  async start(): Promise<void> {
    try {
      await this.#device.start(() => {
        if (this.#adopted && (this.#withoutResend || !resend(this.#device.fd))) this.#releaseLost();
      });
    } finally {
      this.#connection.end();
      this.#rejectReady(new FuseError('ended', 'the FUSE mount ended before the kernel sent INIT'));
    }
  }

  /** The first request that comes tells which numbers the dead server can have had. */
  #releaseLost(): void {
    const receive = this.#receive;
    const { request } = this.#connection;
    this.#receive = () => {
      // An INTERRUPT comes first, and has the number of one of those that were lost.
      if (request.opcode !== Opcode.INTERRUPT) {
        this.#receive = receive;
        releaseLostRequests(this.#device.fd, request.unique);
      }
      receive();
    };
    this.#askSomething?.();
  }
}

/** False if the kernel cannot. */
function resend(fd: number): boolean {
  try {
    writeSync(fd, resendMessage());
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EINVAL') return false;
    // The reading side notices that the mount is gone.
    if (code !== 'ENODEV' && code !== 'ECONNABORTED') throw error;
  }
  return true;
}
