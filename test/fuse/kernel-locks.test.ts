import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { directoryLock, pagesLock } from '../../src/fuse/kernel-locks.ts';
import { Pending } from '../../src/fuse/operations.ts';
import { ByteSink } from './kernel.ts';
import { cString, readIn, requestBytes } from './wire.ts';

const LOOKUP = 1;
const READ = 15;
const READDIR = 28;
const ESTALE = -116;

/** A file system in which nothing is ever local, until `arrive` is called. */
function remote(): { sink: ByteSink; arrive: () => void } {
  let resolveArrival = (): void => {};
  let local = false;
  const arrival = new Promise<void>((resolve) => {
    resolveArrival = resolve;
  });
  const wait = (): void => {
    if (!local) throw new Pending(arrival);
  };
  const sink = new ByteSink({
    lookup: () => wait() as undefined,
    readdir: wait,
    read: () => {
      wait();
      return 0;
    },
  });
  sink.init();
  const arrive = (): void => {
    local = true;
    resolveArrival();
  };
  return { sink, arrive };
}

const lookup = (node: bigint, name: string, unique: bigint): Buffer =>
  requestBytes({ opcode: LOOKUP, unique, node, pid: 7 }, cString(name));

/** Unique and error of the replies after INIT's. */
const answers = (sink: ByteSink): Array<[bigint, number]> =>
  sink.replies.slice(1).map(({ unique, error }) => [unique, error]);

test('a notification is not written while a request that holds its lock waits', async (t) => {
  for (const [lock, request] of [
    [directoryLock(5), lookup(5n, 'a', 2n)],
    [directoryLock(5), requestBytes({ opcode: READDIR, node: 5n }, readIn(0n, 4096))],
    [pagesLock(5), requestBytes({ opcode: READ, node: 5n }, readIn(0n, 4096))],
  ] as const) {
    const { sink, arrive } = remote();
    sink.raw(request);
    let answered: Array<[bigint, number]> | undefined;
    const through = sink.connection.locks.around(lock, async () => {
      answered = answers(sink);
    });
    await setTimeout(120);
    t.is(answered, undefined);
    arrive();
    await through;
    t.deepEqual(answered, [[2n, 0]]);
  }
});

test('a notification does not wait for requests that hold other locks', async (t) => {
  const { sink } = remote();
  sink.raw(lookup(6n, 'a', 2n));
  sink.raw(requestBytes({ opcode: READ, node: 5n, unique: 4n }, readIn(0n, 4096)));
  t.is(await sink.connection.locks.around(directoryLock(5), async () => 'written'), 'written');
  t.is(await sink.connection.locks.around(undefined, async () => 'written'), 'written');
  t.is(sink.connection.pendingCount, 2);
});

test('a lookup that comes to wait while a notification of its directory is held up is sent round, once', async (t) => {
  const { sink, arrive } = remote();
  let finish = (): void => {};
  const written = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const through = sink.connection.locks.around(directoryLock(5), () => written);
  sink.raw(lookup(5n, 'a', 2n));
  sink.raw(lookup(6n, 'a', 4n));
  await setTimeout(60);
  t.deepEqual(answers(sink), [[2n, ESTALE]]);
  sink.raw(lookup(5n, 'a', 6n));
  await setTimeout(60);
  t.is(answers(sink).length, 1, 'the second time it waits');
  finish();
  await through;
  arrive();
  await setTimeout(10);
  t.deepEqual(answers(sink).slice(1), [
    [4n, 0],
    [6n, 0],
  ]);
});
