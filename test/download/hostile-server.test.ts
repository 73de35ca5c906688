// Servers and proxies that do anything but what they should, at random. The seed is in the test's log: with it in
// CVMFSEXEC_TEST_SEED the same misbehaviour comes again.
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Downloader } from '../../src/download/downloader.ts';
import { DownloadError } from '../../src/download/errors.ts';
import { CorruptTransfer, type TransferControl, type TransferSink } from '../../src/objects/transfer.ts';

const TRANSFERS = 400;
const AT_ONCE = 30;
/** For one transfer, which may try two servers through three ways with time-outs of 0.3 s, and wait for a connection. */
const LIMIT_MS = 30_000;

type Random = (below: number) => number;

function random(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor(state / 65536) % below;
  };
}

const contentOf = (path: string) => Buffer.from(`${path}:`.repeat(1 + ((path.length * 37) % 3000)));

const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

type Misbehaviour = (socket: Socket, content: Buffer, below: Random, path: string) => void;

const announced = (length: number) => `${HEAD}Content-Length: ${Math.max(0, length)}\r\n\r\n`;
const good: Misbehaviour = (socket, content) =>
  socket.write(Buffer.concat([Buffer.from(announced(content.length)), content]));
const forEver =
  (first: string, then: string): Misbehaviour =>
  (socket) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(then), 5);
    socket.once('close', () => clearInterval(timer));
  };

const MISBEHAVIOURS: readonly Misbehaviour[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
  (socket, content, below) => socket.end(announced(content.length).slice(0, below(30))),
  (socket, content, below) =>
    socket.end(announced(content.length) + content.toString('latin1', 0, below(content.length))),
  (socket, content) => socket.write(announced(content.length + 10) + content.toString('latin1')),
  (socket, content) => socket.write(announced(content.length - 5) + content.toString('latin1')),
  (socket, content) => socket.write(`${announced(content.length)}${content.toString('latin1')}more`),
  (socket, content, below) => {
    good(socket, content, below, '');
    setTimeout(() => socket.destroyed || socket.write('later'), below(20));
  },
  (socket, content, below) => {
    good(socket, content, below, '');
    setTimeout(() => socket.resetAndDestroy(), below(3));
  },
  (socket, content) => socket.end(`${HEAD}\r\n${content.toString('latin1')}`),
  forEver('', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)),
  forEver(HEAD, `X: ${'x'.repeat(2000)}\r\n`),
  forEver(CHUNKED, `1;${'x'.repeat(2000)}\r\na\r\n`),
  forEver(`${CHUNKED}0\r\n`, `X: ${'x'.repeat(2000)}\r\n`),
  (socket, _content, _below, path) =>
    socket.write(`HTTP/1.1 302 Found\r\nLocation: ${path}\r\nContent-Length: 0\r\n\r\n`),
  (socket) => socket.write('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 5\r\n\r\nab'),
  () => {},
  (socket) => socket.write(`HTTP/1.1 503 Busy\r\nContent-Length: 100000000\r\n\r\n${'z'.repeat(200_000)}`),
  (socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'),
  (socket) => socket.write('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'),
];

/** Rather right than wrong. */
async function hostile(t: ExecutionContext, below: Random): Promise<string> {
  const answer = (socket: Socket, path: string) =>
    (MISBEHAVIOURS[below(MISBEHAVIOURS.length * 2)] ?? good)(socket, contentOf(path), below, path);
  const server = createServer((socket) => {
    let held = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      held += bytes.toString('latin1');
      const requests = held.split('\r\n\r\n');
      held = requests.pop() ?? '';
      for (const request of requests) answer(socket, /^GET (?:http:\/\/[^/]+)?(\S+)/.exec(request)?.[1] ?? '/');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** Takes what has to be this content, with pauses. */
class CheckingSink implements TransferSink {
  #control: TransferControl | undefined;
  #content = Buffer.alloc(0);
  readonly #path: string;
  readonly #below: Random;

  constructor(path: string, below: Random) {
    this.#path = path;
    this.#below = below;
  }

  begin(control: TransferControl): void {
    this.#control = control;
    this.#content = Buffer.alloc(0);
  }

  write(bytes: Buffer): boolean {
    this.#content = Buffer.concat([this.#content, bytes]);
    if (this.#content.length > 400_000) throw new CorruptTransfer('too long');
    if (this.#below(10) > 0) return true;
    const control = this.#control;
    setTimeout(() => control?.resume(), this.#below(5));
    return false;
  }

  async end(): Promise<void> {
    await sleep(this.#below(2));
    if (!this.right) throw new CorruptTransfer('wrong');
  }

  abort(): void {
    this.#content = Buffer.alloc(0);
  }

  get right(): boolean {
    return this.#content.equals(contentOf(this.#path));
  }
}

for (const proxied of [false, true]) {
  test.serial(
    `every transfer ends, with the right content or a reason, ${proxied ? 'proxied' : 'directly'}`,
    async (t) => {
      const seed = Number(process.env.CVMFSEXEC_TEST_SEED ?? Date.now() % 1e6);
      t.log(`CVMFSEXEC_TEST_SEED=${seed}`);
      const below = random(seed);
      const [one, two, three, four] = await Promise.all([1, 2, 3, 4].map(() => hostile(t, below)));
      const seconds = { timeout: 0.3, timeoutDirect: 0.3, backoffInit: 0.01, backoffMax: 0.02 };
      const downloader = new Downloader({
        ...seconds,
        servers: [one, two],
        proxies: proxied ? `${three}|${four};DIRECT` : 'DIRECT',
        followRedirects: true,
        maxConnections: 6,
        hostResetAfter: 1,
        proxyResetAfter: 1,
      });
      t.teardown(() => downloader.close());
      let right = 0;
      const transfer = async (path: string) => {
        const sink = new CheckingSink(path, below);
        const late = sleep(LIMIT_MS, 'late', { ref: false });
        const done = downloader.transfer({ path, label: path, urgent: below(2) === 0 }, sink);
        t.not(await Promise.race([done.catch((error) => error), late]), 'late', `${path} does not end`);
        await done.then(
          () => {
            right++;
            t.true(sink.right, path);
          },
          (error) => t.true(error instanceof DownloadError && error.code !== 'LOCAL_IO', String(error)),
        );
      };
      let next = 0;
      const workers = Array.from({ length: AT_ONCE }, async () => {
        while (next < TRANSFERS) {
          const number = next++;
          await transfer(`/${number}/${'p'.repeat(number % 50)}`);
        }
      });
      await Promise.all(workers);
      t.true(right > TRANSFERS / 2, `${right} of ${TRANSFERS}`);
    },
  );
}
