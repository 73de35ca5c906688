// Answers on the talk socket of a mount (client.md §9.4): one command a connection, then the connection is closed. Whoever
// may connect is the user or root; still nobody can make the mount wait, or take more than a few connections for a while.
import { createServer, type Server, type Socket } from 'node:net';
import { ShortPath } from './short-path.ts';
import type { SocketPlace } from './socket-place.ts';
import { isListening, liveServers } from './talk-client.ts';

export interface TalkLimits {
  /** Connections at once. Above that the one that has been silent for longest is closed, or else the new one. */
  readonly clients: number;
  /** Milliseconds until the command has to be there, and until the answer has to be taken. */
  readonly patience: number;
  /** Milliseconds for a command. */
  readonly command: number;
}

const LIMITS: TalkLimits = { clients: 16, patience: 10_000, command: 300_000 };
/** Bytes. */
const LONGEST_COMMAND = 512;

/** Gives the answer to a command; never throws. */
export type Answering = (command: string) => Promise<string>;

export class TalkServer {
  readonly #place: SocketPlace;
  readonly #name: string;
  readonly #directory: ShortPath;
  readonly #server: Server;
  readonly #answer: Answering;
  readonly #limits: TalkLimits;
  /** Connected, and have not said anything yet, in the order in which they came. */
  readonly #silent = new Set<Socket>();
  #clients = 0;
  #closed = false;

  private constructor(place: SocketPlace, answer: Answering, limits: TalkLimits) {
    this.#place = place;
    this.#answer = answer;
    this.#limits = limits;
    this.#name = place.newName();
    this.#directory = new ShortPath(place.directory);
    // Who has said all (socat, nc -N) may still wait for the answer.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  /** Listens, and takes the name that scripts know. Rejects where there can be no socket. */
  static async start(place: SocketPlace, answer: Answering, limits: Partial<TalkLimits> = {}): Promise<TalkServer> {
    const server = new TalkServer(place, answer, { ...LIMITS, ...limits });
    try {
      await server.#listen();
      if (!server.#closed) await server.#takeName();
      return server;
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** Synchronous: the process ends next. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#place.withdraw(this.#name);
    this.#server.close();
    this.#directory.close();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // Nobody else may connect, from the first moment on.
      const mask = process.umask(0o177);
      try {
        this.#server.listen(this.#directory.of(this.#name), () => {
          this.#server.off('error', reject);
          this.#server.on('error', () => {});
          resolve();
        });
      } finally {
        process.umask(mask);
      }
      this.#server.unref();
    });
  }

  async #takeName(): Promise<void> {
    const place = this.#place;
    // A reference client may be running in this very workspace.
    if (place.isForeign() && (await isListening(place, place.name))) return;
    if (!this.#closed) place.point(this.#name);
    await liveServers(place);
  }

  #serve(socket: Socket): void {
    socket.unref();
    this.#clients++;
    this.#silent.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limits.patience);
    timer.unref();
    const heard = (): void => {
      clearTimeout(timer);
      this.#silent.delete(socket);
    };
    socket.on('error', () => socket.destroy());
    socket.on('end', () => {
      if (this.#silent.has(socket)) socket.destroy();
    });
    socket.on('close', () => {
      this.#clients--;
      heard();
    });
    socket.once('data', (data) => {
      heard();
      socket.on('data', () => {}); // one command a connection
      void this.#reply(socket, data);
    });
    if (this.#clients > this.#limits.clients) this.#silent.values().next().value?.destroy();
  }

  /** A command comes in one piece, as it is sent in one. */
  async #reply(socket: Socket, data: Buffer): Promise<void> {
    const [command] = data.toString('latin1').split('\0');
    const answer =
      data.length > LONGEST_COMMAND
        ? `command too long (more than ${LONGEST_COMMAND} bytes)`
        : this.#bounded(command.trim());
    const text = await answer;
    if (socket.destroyed) return;
    // A slow reader is given time as long as it reads.
    socket.setTimeout(this.#limits.patience, () => socket.destroy());
    socket.end(Buffer.from(text.endsWith('\n') ? text : `${text}\n`, 'latin1'));
  }

  #bounded(command: string): Promise<string> {
    return new Promise((resolve) => {
      const limit = this.#limits.command;
      const timer = setTimeout(() => resolve(`Failed: not done within ${limit / 1000} s`), limit);
      timer.unref();
      this.#answer(command).then(
        (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        (error) => {
          clearTimeout(timer);
          resolve(`Failed: ${(error as Error).message}`);
        },
      );
    });
  }
}
