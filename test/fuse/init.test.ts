import test from 'ava';
import { ByteSink } from './kernel.ts';
import { initIn } from './wire.ts';

const OPEN = 14;
const OPENDIR = 27;
const ENOSYS = -38;
const bit = (n: number): number => (1 << n) >>> 0;

test('only what is offered is asked for, and never what would hurt', (t) => {
  const { body } = new ByteSink().init();
  t.is(body.length, 64);
  t.deepEqual([body.readUInt32LE(0), body.readUInt32LE(4), body.readUInt32LE(8)], [7, 45, 131_072]);
  const flags = body.readUInt32LE(12);
  for (const [name, n] of Object.entries({
    async: 0,
    readdirplus: 13,
    dio: 15,
    noOpen: 17,
    parallel: 18,
    pages: 22,
    symlinks: 23,
    noOpendir: 24,
    inval: 25,
  })) {
    t.true((flags & bit(n)) !== 0, name);
  }
  for (const [name, n] of Object.entries({
    posixLocks: 1,
    oTrunc: 3,
    flock: 10,
    autoInval: 12,
    writeback: 16,
    acl: 20,
  })) {
    t.true((flags & bit(n)) === 0, name);
  }
  t.is(body.readUInt16LE(28), 256, 'max_pages');
});

test('kernels from 4.18 on get what they know', (t) => {
  for (const [minor, flags, flags2, pages] of [
    [27, 0x003fffff, undefined, 0],
    [28, 0x00ffffff, undefined, 256],
    [34, 0x1fffffff, undefined, 256],
    [39, 0x73fffffb, 0x1d, 256],
    [99, 0xffffffff, 0xffffffff, 256],
  ] as const) {
    const { body, error } = new ByteSink().ask({ opcode: 26, node: 0n }, initIn(minor, flags, flags2));
    t.is(error, 0);
    t.is(body.readUInt32LE(4), Math.min(minor, 45));
    t.is(body.readUInt32LE(12) & ~flags, 0, `${minor}`);
    t.is(body.readUInt16LE(28), pages);
    t.is(body.readUInt32LE(32) & ~(flags2 ?? 0), 0);
  }
});

test('a newer major version is answered with ours; the kernel then comes again', async (t) => {
  const sink = new ByteSink();
  const first = sink.ask({ opcode: 26, node: 0n }, initIn(0, 0, 0, 8));
  t.deepEqual([first.error, first.body.readUInt32LE(0)], [0, 7]);
  t.is(sink.init().error, 0);
  t.is((await sink.connection.ready).minor, 45);
});

test('too old a kernel, and half an INIT, are refused', (t) => {
  for (const body of [initIn(22, 0), initIn(45, 0, 0, 6), initIn(45, 0).subarray(0, 12), Buffer.alloc(0)]) {
    t.is(new ByteSink().ask({ opcode: 26, node: 0n }, body).error, -71);
  }
});

test('opening is left to the kernel only where it offers that, and only on mounts of our own', (t) => {
  const open = (sink: ByteSink, opcode: number) => sink.ask({ opcode }, Buffer.alloc(8));
  const flagsOf = (sink: ByteSink, opcode: number) => open(sink, opcode).body.readUInt32LE(8);

  const modern = new ByteSink();
  modern.init();
  t.is(open(modern, OPEN).error, ENOSYS);
  t.is(open(modern, OPENDIR).error, ENOSYS);

  const old = new ByteSink();
  old.init(27, 0x003fffff, undefined);
  t.is(open(old, OPEN).error, ENOSYS);
  t.is(flagsOf(old, OPENDIR), 0b1010, 'keep the cache and the list');

  const foreign = new ByteSink(undefined, { readOnlyMount: false });
  foreign.init();
  t.is(flagsOf(foreign, OPEN), 0b10);
  t.is(flagsOf(foreign, OPENDIR), 0b1010);
});

test('a successor knows what was agreed with its predecessor', async (t) => {
  const first = new ByteSink();
  first.init();
  const negotiated = await first.connection.ready;
  const second = new ByteSink(undefined, { negotiated: JSON.parse(JSON.stringify(negotiated)) });
  t.deepEqual(await second.connection.ready, negotiated);
  t.is(second.ask({ opcode: OPEN }, Buffer.alloc(8)).error, ENOSYS);
});
