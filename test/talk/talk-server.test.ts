// The talk socket: several servers in one workspace, and clients that mean harm (client.md §9.4).
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { statusOfAll } from '../../src/talk/running.ts';
import { SocketPlace } from '../../src/talk/socket-place.ts';
import { ask, liveServers } from '../../src/talk/talk-client.ts';
import { type Answering, TalkServer } from '../../src/talk/talk-server.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

const NAME = 'cvmfs_io.some.example.org';

function place(t: ExecutionContext): SocketPlace {
  return new SocketPlace(`${temporaryDirectory(t)}/${NAME}`);
}

async function started(t: ExecutionContext, at: SocketPlace, answer: Answering, limits = {}): Promise<TalkServer> {
  const server = await TalkServer.start(at, answer, limits);
  t.teardown(() => server.close());
  return server;
}

const echo: Answering = async (command) => `[${command}]`;

/** As the reference's script does: connects to a path, writes, reads to the end. */
function raw(path: string, data: string | undefined, onOpen = (_: Socket) => {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path, () => {
      if (data !== undefined) socket.write(Buffer.from(data, 'latin1'));
      onOpen(socket);
    });
    let text = '';
    socket.setEncoding('latin1').on('data', (part) => {
      text += part;
    });
    socket
      .on('error', (error) => reject(new Error(`${data?.slice(0, 20)}: ${error.message}`)))
      .on('close', () => resolve(text));
  });
}

test('a command with or without newline and NUL is answered, and the connection closed', async (t) => {
  const at = place(t);
  await started(t, at, echo);
  const path = at.path(NAME);
  for (const end of ['', '\n', '\0', '\n\0', '\0rest']) t.is(await raw(path, `host info${end}`), '[host info]\n');
  t.is(await raw(path, 'caf\xe9'), '[caf\xe9]\n');
  t.is(await ask(at, 'caf\xe9'), '[caf\xe9]\n');
  t.is(await raw(path, 'x'.repeat(513)), 'command too long (more than 512 bytes)\n');
  t.is(await raw(path, 'y'.repeat(512)), `[${'y'.repeat(512)}]\n`);
});

test('nobody but the user may connect, and nothing is left at the end', async (t) => {
  const at = place(t);
  const server = await started(t, at, echo);
  t.is(statSync(at.path(NAME)).mode & 0o777, 0o600);
  server.close();
  server.close();
  await sleep(50);
  t.deepEqual(readdirSync(at.directory), []);
});

test('of several servers the one started last is found; when it ends another one is', async (t) => {
  const at = place(t);
  const first = await started(t, at, async () => 'first');
  await sleep(20);
  const second = await started(t, at, async () => 'second');
  t.is(await ask(at, 'who'), 'second\n');
  t.is((await liveServers(at)).length, 2);
  second.close();
  t.is(await ask(at, 'who'), 'first\n');
  t.is(await raw(at.path(NAME), 'who'), 'first\n');
  first.close();
  await t.throwsAsync(ask(at, 'who'), { code: 'NOT_RUNNING' });
});

test('what a killed server left is replaced, and another one found meanwhile', async (t) => {
  const at = place(t);
  await started(t, at, async () => 'alive');
  // A socket that nobody listens at, with the known name leading to it.
  const dead = at.newName();
  const corpse = createServer().listen(at.path(dead));
  await sleep(20);
  const copy = `${at.path(dead)}.kept`;
  const { linkSync, renameSync } = await import('node:fs');
  linkSync(at.path(dead), copy);
  corpse.close();
  await sleep(20);
  renameSync(copy, at.path(dead));
  utimesSync(at.path(dead), 1, 1);
  at.point(dead);
  t.is(await ask(at, 'who'), 'alive\n');
  await started(t, at, async () => 'new');
  t.false(existsSync(at.path(dead)));
  t.is(await raw(at.path(NAME), 'who'), 'new\n');
});

test('the socket of a reference client that runs is not touched; a dead one and other things are replaced', async (t) => {
  const at = place(t);
  const reference = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end('reference\n'),
  ).listen(at.path(NAME));
  await sleep(20);
  const own = await started(t, at, async () => 'own');
  t.is(await raw(at.path(NAME), 'who'), 'reference\n');
  own.close();
  t.true(existsSync(at.path(NAME)));
  await new Promise((resolve) => reference.close(resolve));
  writeFileSync(at.path(NAME), 'no socket');
  await started(t, at, async () => 'own');
  t.is(await raw(at.path(NAME), 'who'), 'own\n');
  t.regex(readlinkSync(at.path(NAME)), /^cvmfs_io\.some\.example\.org\.[0-9a-f]{4}-[0-9a-f]{8}$/);
});

test('a workspace with a path longer than sockets can have', async (t) => {
  const long = join(temporaryDirectory(t), 'x'.repeat(200));
  mkdirSync(long);
  const at = new SocketPlace(join(long, `cvmfs_io.${'r'.repeat(48)}.example.org`));
  await started(t, at, echo);
  t.is(await ask(at, 'pid'), '[pid]\n');
});

test('clients that say nothing, take nothing or flood do not keep others from an answer', async (t) => {
  const at = place(t);
  const big = 'z'.repeat(8 << 20);
  const answer: Answering = async (command) => (command === 'big' ? big : 'small');
  await started(t, at, answer, { clients: 8, patience: 1500 });
  const path = at.path(NAME);
  const silent = Array.from({ length: 4 }, () => raw(path, undefined).catch(() => ''));
  t.is(await raw(path, 'one'), 'small\n');
  t.deepEqual(await Promise.all(silent), ['', '', '', ''], 'they are let go');
  void raw(path, 'big', (socket) => socket.pause()).catch(() => {});
  t.is(await raw(path, 'two'), 'small\n');
  const floods = Array.from({ length: 50 }, () => raw(path, 'x'.repeat(200_000)).catch(() => ''));
  await Promise.all(floods);
  await sleep(1600);
  t.is(await raw(path, 'three'), 'small\n');
  t.is((await raw(path, 'big')).length, big.length + 1);
});

test('a command that never ends, or fails, is answered all the same', async (t) => {
  const at = place(t);
  const answer: Answering = (command) =>
    command === 'fail' ? Promise.reject(new Error('broken')) : new Promise(() => {});
  await started(t, at, answer, { command: 200 });
  t.is(await ask(at, 'forever'), 'Failed: not done within 0.2 s\n');
  t.is(await ask(at, 'fail'), 'Failed: broken\n');
});

test('who closes its side after the command still has the answer, and one who says nothing is let go', async (t) => {
  const at = place(t);
  const answer: Answering = async (command) => {
    await sleep(100);
    return `[${command}]`;
  };
  await started(t, at, answer, { patience: 60_000 });
  t.is(await raw(at.path(NAME), 'remount', (socket) => socket.end()), '[remount]\n');
  t.is(await raw(at.path(NAME), undefined, (socket) => socket.end()), '');
});

test('a server that is killed before or within its answer has not answered', async (t) => {
  const at = place(t);
  let sent = '';
  const dying = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(sent)));
  await new Promise<void>((resolve) => dying.listen(at.path(NAME), resolve));
  t.teardown(() => dying.close());
  for (sent of ['', '{"fqrn":']) await t.throwsAsync(ask(at, 'status json'), { code: 'FAILED', message: /complete/ });
});

test('the status of all servers leaves out one that is killed as it is asked, and fails for one that does not answer', async (t) => {
  const at = place(t);
  await started(t, at, async () => JSON.stringify({ fqrn: 'alive', pid: 1, pidNamespace: '' }));
  const fqrns = async () => (await statusOfAll(at)).map(({ fqrn }) => fqrn);
  const faulty = async (answer: (socket: Socket, server: Server) => void) => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => answer(socket, server)));
    await new Promise<void>((resolve) => server.listen(at.path(at.newName()), resolve));
    t.teardown(() => server.close());
  };
  await faulty((socket, server) => {
    server.close();
    socket.destroy();
  });
  t.deepEqual(await fqrns(), ['alive']);
  await faulty((socket) => socket.destroy());
  await t.throwsAsync(fqrns(), { code: 'FAILED' });
});

test('where there is no directory, or a link that leads nowhere', async (t) => {
  const missing = new SocketPlace(`${temporaryDirectory(t)}/missing/${NAME}`);
  await t.throwsAsync(TalkServer.start(missing, echo), { code: 'ENOENT' });
  await t.throwsAsync(ask(missing, 'pid'), { code: 'NOT_RUNNING' });
  const at = place(t);
  symlinkSync('/nowhere', at.path(NAME));
  await t.throwsAsync(ask(at, 'pid'), { code: 'NOT_RUNNING' });
  await started(t, at, echo);
  t.is(await ask(at, 'pid'), '[pid]\n');
});
