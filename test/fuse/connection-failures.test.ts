// Requests that cannot be answered, or not yet.
import test from 'ava';
import { type Attributes, Errno, Pending } from '../../src/fuse/operations.ts';
import { ByteSink } from './kernel.ts';
import { cString, requestBytes, u64 } from './wire.ts';

const LOOKUP = 1;
const GETATTR = 3;

test('an errno that the kernel would not take, and anything else thrown, is EIO and told', (t) => {
  const thrown = [
    new Errno(13),
    new Errno(0),
    new Errno(512),
    new Errno(-5),
    new Errno(1.5),
    new Error('x'),
    undefined,
    null,
    'text',
  ];
  const sink = new ByteSink({
    getattr: () => {
      throw thrown.shift();
    },
  });
  sink.init();
  const errors = Array.from({ length: 9 }, () => sink.ask({ opcode: GETATTR }, Buffer.alloc(16)).error);
  t.deepEqual(errors, [-13, -5, -5, -5, -5, -5, -5, -5, -5]);
  t.is(sink.accidents.length, 8);
});

test('a request that waits is answered with its own unique after others came by, and once', async (t) => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let local = false;
  const sink = new ByteSink({
    lookup: (_, name, caller) => {
      if (name === 'slow' && !local) throw new Pending(gate);
      t.is(caller.uid, name === 'slow' ? 5 : 6);
      return undefined;
    },
  });
  sink.init();
  const resent = (1n << 63n) | 10n;
  t.deepEqual(sink.raw(requestBytes({ opcode: LOOKUP, unique: 8n, uid: 5 }, cString('slow'))), []);
  t.deepEqual(sink.raw(requestBytes({ opcode: LOOKUP, unique: resent, uid: 5 }, cString('slow'))), []);
  t.is(sink.ask({ opcode: LOOKUP, unique: 12n, uid: 6 }, cString('quick')).unique, 12n);
  t.is(sink.connection.pendingCount, 2);
  local = true;
  open();
  await gate;
  await Promise.resolve();
  t.deepEqual(
    sink.replies.slice(2).map(({ unique, error }) => [unique, error]),
    [
      [8n, 0],
      [resent, 0],
    ],
  );
  t.is(sink.connection.pendingCount, 0);
});

test('a file system that never has what it waited for is EIO in the end', async (t) => {
  let attempts = 0;
  const sink = new ByteSink({
    getattr: () => {
      attempts++;
      throw new Pending(Promise.resolve());
    },
  });
  sink.init();
  sink.raw(requestBytes({ opcode: GETATTR }, Buffer.alloc(16)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.deepEqual(
    sink.replies.slice(1).map(({ error }) => error),
    [-5],
  );
  t.true(attempts > 100 && attempts < 1000);
});

test('a request waits no longer than its limit; what it waited for may come later', async (t) => {
  let open = () => {};
  const sink = new ByteSink(
    {
      getattr: () => {
        throw new Pending(
          new Promise<void>((resolve) => {
            open = resolve;
          }),
        );
      },
    },
    { pendingLimit: 0.02 },
  );
  sink.init();
  sink.raw(requestBytes({ opcode: GETATTR }, Buffer.alloc(16)));
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.deepEqual(
    sink.replies.slice(1).map(({ error }) => error),
    [-5],
  );
  open();
  await new Promise((resolve) => setTimeout(resolve, 10));
  t.is(sink.replies.length, 2);
});

test('interrupts of a stranger, and of what was answered, change nothing', (t) => {
  const sink = new ByteSink();
  sink.init();
  t.deepEqual(sink.raw(requestBytes({ opcode: 36, unique: 3n }, u64(2n))), []);
  t.deepEqual(sink.raw(requestBytes({ opcode: 36, unique: 3n })), []);
});

test('a reply that cannot be written is followed by EIO, and told', (t) => {
  const sink = new ByteSink({ getattr: () => ({}) as Attributes });
  sink.init();
  const { length } = sink.replies;
  let failures = 1;
  const push = sink.replies.push.bind(sink.replies);
  sink.replies.push = (...parts) => {
    if (failures-- > 0) throw Object.assign(new Error('ENOMEM'), { code: 'ENOMEM' });
    return push(...parts);
  };
  sink.raw(requestBytes({ opcode: GETATTR }, Buffer.alloc(16)));
  t.deepEqual(
    sink.replies.slice(length).map(({ error }) => error),
    [-5],
  );
  t.is(sink.accidents.length, 1);
});
