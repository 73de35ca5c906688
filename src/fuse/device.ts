// Requests from /dev/fuse by events, on the thread that answers them. Node has no public way to poll a character device: libuv's pipe
// handle takes any descriptor that epoll takes, and is what `net` makes for a socket path.

import { readSync, write, writeSync } from 'node:fs';
import { createConnection } from 'node:net';
import { FuseError, systemCode } from './fuse-error.ts';
import { isMounted } from './is-mounted.ts';

/** What is used of libuv's pipe handle; stable from Node 12 to 26. */
interface PipeHandle {
  onread: () => void;
  open(fd: number): number | undefined;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  close(callback?: () => void): void;
}

/** How often a descriptor is tried that is not mounted yet, and for how long, in milliseconds. */
const MOUNT_POLL = 2;
const MOUNT_LIMIT = 60_000;

function newPipeHandle(): PipeHandle {
  // Connecting makes the handle at once; there is no such socket, and the outcome does not matter.
  const socket = createConnection({ path: '\0none' });
  socket.on('error', () => {});
  const handle = (socket as unknown as { _handle?: PipeHandle })._handle;
  const Pipe = handle?.constructor as (new (type: number) => PipeHandle) | undefined;
  socket.destroy();
  if (typeof handle?.useUserBuffer !== 'function' || Pipe === undefined) {
    throw new FuseError(
      'unfit-runtime',
      `Node ${process.version} has no pipe handle that could read /dev/fuse: use Node 22 or 24`,
    );
  }
  return new Pipe(0);
}

export class Device {
  readonly fd: number;
  readonly #words: Uint32Array;
  readonly #buffer: Uint8Array;
  readonly #receive: () => void;
  readonly #handle: PipeHandle;
  #ended = false;
  #writing = 0;
  #settle!: (error?: FuseError) => void;

  /**
   * Adopts `fd`, which becomes non-blocking for all who share it and is closed when the mount ends. Each request is put into `buffer`
   * (4-byte aligned), then `receive` is called.
   */
  constructor(fd: number, buffer: Uint8Array, receive: () => void) {
    this.fd = fd;
    this.#buffer = buffer;
    this.#words = new Uint32Array(buffer.buffer, buffer.byteOffset, 2);
    this.#receive = receive;
    this.#handle = newPipeHandle();
    let failure: unknown;
    try {
      failure = this.#handle.open(fd) || undefined;
    } catch (error) {
      failure = error;
    }
    if (failure !== undefined) {
      throw new FuseError(
        'bad-descriptor',
        `cannot read FUSE requests from descriptor ${fd}: is it one of /dev/fuse?`,
        failure,
      );
    }
    this.#handle.useUserBuffer(buffer);
    this.#handle.onread = () => this.#onRead();
  }

  /**
   * Reads until the mount ends, then resolves. The descriptor need not be mounted yet, but must be within a minute: then, before the first
   * request is read, `mounted` is called. After this nothing is written any more, and the descriptor is closed.
   */
  start(mounted: () => void): Promise<void> {
    const startedAt = performance.now();
    // A handle whose read has failed never reads again, so it must not meet the EPERM of a descriptor that is not mounted.
    const awaitMount = (): void => {
      if (isMounted(this.fd)) this.#begin(mounted);
      else if (performance.now() - startedAt < MOUNT_LIMIT) setTimeout(awaitMount, MOUNT_POLL);
      else
        this.#end(
          new FuseError(
            'not-mounted',
            `FUSE descriptor ${this.fd} was not mounted within a minute: does mount(8) fail?`,
          ),
        );
    };
    return new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
      awaitMount();
    });
  }

  #begin(mounted: () => void): void {
    try {
      mounted();
    } catch (error) {
      this.#fail(systemCode(error));
      return;
    }
    const code = this.#probe();
    if (code === '' || code === 'EAGAIN') this.#handle.readStart();
    else this.#fail(code);
  }

  /** Writes one reply. It never blocks. That nobody waits for it any more is no error. */
  write(bytes: Uint8Array, length: number): void {
    if (this.#ended) return;
    try {
      writeSync(this.fd, bytes, 0, length);
    } catch (error) {
      const code = systemCode(error);
      // ENOENT: the request was aborted. The others: the mount is gone, which the reading side notices.
      if (code !== 'ENOENT' && code !== 'ENODEV' && code !== 'ECONNABORTED' && code !== 'EPERM') throw error;
    }
  }

  /** Writes a message that may block on locks of the kernel, on a thread of libuv's pool. Gives the errno name or '' . */
  writeBlocking(message: Uint8Array): Promise<string> {
    if (this.#ended) return Promise.resolve('ENODEV');
    this.#writing++;
    return new Promise((resolve) => {
      write(this.fd, message, 0, message.length, null, (error) => {
        this.#writing--;
        if (this.#ended) this.#close();
        resolve(error === null ? '' : (error.code ?? 'EIO'));
      });
    });
  }

  #onRead(): void {
    // The number of bytes read is out of reach here, but a request begins with its length: 0 tells that none came.
    if (this.#words[0] === 0) {
      const code = this.#probe();
      // EAGAIN: who had asked was killed before it was read, and the kernel took the request back.
      if (code !== '' && code !== 'EAGAIN') this.#fail(code);
    } else {
      this.#receive();
      this.#words[0] = 0;
    }
  }

  /** Reads without waiting, and handles what comes; otherwise gives the errno name, which libuv keeps to itself. */
  #probe(): string {
    try {
      readSync(this.fd, this.#buffer);
    } catch (error) {
      return systemCode(error);
    }
    this.#receive();
    this.#words[0] = 0;
    return '';
  }

  #fail(code: string): void {
    // ENODEV: unmounted. ECONNABORTED: aborted, as by `umount -f`.
    if (code === 'ENODEV' || code === 'ECONNABORTED') this.#end();
    else
      this.#end(
        new FuseError(
          'bad-descriptor',
          `cannot read FUSE requests from descriptor ${this.fd}: ${code || 'reading failed'}`,
        ),
      );
  }

  #end(error?: FuseError): void {
    this.#ended = true;
    this.#settle(error);
    this.#close();
  }

  /** Not while the pool may still use the descriptor: its number could be somebody else's by then. */
  #close(): void {
    if (this.#writing === 0) this.#handle.close();
  }
}
