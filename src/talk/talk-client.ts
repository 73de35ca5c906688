// Asks a running server (client.md §9.4): one command a connection, the answer ends with it.
import { createConnection } from 'node:net';
import { ShortPath } from './short-path.ts';
import type { SocketPlace } from './socket-place.ts';

/** Longer than the server's own patience with any command. */
const ANSWER_LIMIT_MS = 330_000;
const CONNECT_LIMIT_MS = 5000;
const LONGEST_ANSWER = 64 * 1024 * 1024;

/**
 * - `NOT_RUNNING`: nobody listens
 * - `FAILED`: somebody does, but there was no answer
 */
export class TalkError extends Error {
  override readonly name = 'TalkError';
  readonly code: 'NOT_RUNNING' | 'FAILED';

  constructor(code: TalkError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The answer of the server that scripts find; of another one of the place where that is gone. @throws TalkError */
export async function ask(place: SocketPlace, command: string): Promise<string> {
  const names = [place.name, ...place.servers()];
  for (const name of names) {
    const answer = await askUnlessGone(place, name, command);
    if (answer !== undefined) return answer;
  }
  throw new TalkError('NOT_RUNNING', `nobody listens at ${place.path(place.name)}`);
}

/** Names of the servers that answer, the one started last first. Sockets of dead ones are removed. */
export async function liveServers(place: SocketPlace): Promise<string[]> {
  const names = place.servers();
  const alive = await Promise.all(names.map((name) => isListening(place, name)));
  names.forEach((name, i) => {
    if (!alive[i]) place.removeStale(name);
  });
  return names.filter((_, i) => alive[i]);
}

/** Undefined: nobody listens there. @throws TalkError FAILED */
export async function askUnlessGone(place: SocketPlace, name: string, command: string): Promise<string | undefined> {
  let directory: ShortPath;
  try {
    directory = new ShortPath(place.directory);
  } catch {
    return undefined;
  }
  try {
    return await exchange(directory.of(name), `${command}\0`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK' || code === 'ENOTDIR') return undefined;
    const reason = (error as Error).message;
    throw new TalkError('FAILED', `no answer from ${place.path(name)}: ${reason}`, error);
  } finally {
    directory.close();
  }
}

export async function isListening(place: SocketPlace, name: string): Promise<boolean> {
  try {
    const directory = new ShortPath(place.directory);
    try {
      await connected(directory.of(name));
      return true;
    } finally {
      directory.close();
    }
  } catch {
    return false;
  }
}

function connected(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.setTimeout(CONNECT_LIMIT_MS, () => socket.destroy(new Error('timed out')));
    socket.on('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}

function exchange(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const timer = setTimeout(() => socket.destroy(new Error('timed out')), ANSWER_LIMIT_MS);
    const parts: Buffer[] = [];
    let length = 0;
    let failure: Error | undefined;
    socket.on('connect', () => socket.write(Buffer.from(command, 'latin1')));
    socket.on('data', (data) => {
      parts.push(data);
      length += data.length;
      if (length > LONGEST_ANSWER) socket.destroy(new Error('the answer is too long'));
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      clearTimeout(timer);
      const answer = Buffer.concat(parts).toString('latin1');
      // All answers end with a newline; the server may have been killed meanwhile.
      if (!answer.endsWith('\n')) failure ??= new Error('the server closed before the answer was complete');
      if (failure) reject(failure);
      else resolve(answer);
    });
  });
}
