import test from 'ava';
import fc from 'fast-check';
import { LARGEST_REQUEST_BYTES } from '../../src/fuse/init.ts';
import { ByteSink } from './kernel.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { requestBytes } from './wire.ts';

/** FORGET, INTERRUPT, NOTIFY_REPLY, BATCH_FORGET: nothing waits for an answer. */
const SILENT = new Set([2, 36, 41, 42]);

function files(): MemoryFileSystem {
  const memory = new MemoryFileSystem();
  memory.file('/a/b', 'content').xattrs.set('user.x', Buffer.from('y'));
  memory.symlink('/l', 'a/b');
  return memory;
}

const node = fc.oneof(fc.bigInt(0n, 6n), fc.bigInt(0n, (1n << 64n) - 1n));
const opcode = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 60 }) },
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 120 }),
  fc.array(fc.constantFrom(0, 0, 0, 1, 4, 16, 255), { maxLength: 80 }).map((bytes) => Uint8Array.from(bytes)),
  fc.string({ maxLength: 20 }).map((text) => Buffer.from(`${text}\0`)),
);

for (const options of [
  { answerOpen: false, readOnlyMount: true },
  { answerOpen: true, readOnlyMount: false, listXattr: false },
]) {
  test(`any opcode with any body has exactly one reply of its own: ${JSON.stringify(options)}`, (t) => {
    const sink = new ByteSink(files(), options);
    sink.init();
    fc.assert(
      fc.property(opcode, node, fc.bigInt(0n, (1n << 64n) - 1n), body, (code, target, unique, bytes) => {
        const replies = sink.raw(requestBytes({ opcode: code, node: target, unique }, bytes));
        t.is(replies.length, SILENT.has(code) ? 0 : 1);
        for (const reply of replies) {
          t.is(reply.unique, unique);
          t.is(reply.length, reply.body.length + 16);
          t.true(reply.error <= 0 && reply.error > -512);
          t.true(reply.error === 0 || reply.body.length === 0);
        }
      }),
      { numRuns: 5000 },
    );
    t.true(sink.trace.every((line) => /^[ -~]+$/.test(line)));
    // Only names that no kernel sends make the memory file system fail.
    t.deepEqual(
      sink.accidents.filter(({ request }) => !request.includes('"broken')),
      [],
    );
  });
}

test('random bytes never throw, and have at most one reply', (t) => {
  const sink = new ByteSink(files());
  sink.init();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 400 }), fc.boolean(), (bytes, rightLength) => {
      if (rightLength) Buffer.from(bytes.buffer).writeUInt32LE(bytes.length, 0);
      t.true(sink.raw(bytes).length <= 1);
    }),
    { numRuns: 5000 },
  );
});

test('a length beyond the buffer, or shorter than a header, is EINVAL', (t) => {
  const sink = new ByteSink(files());
  sink.init();
  for (const length of [16, 39, LARGEST_REQUEST_BYTES + 1, 0xffff_ffff]) {
    const bytes = requestBytes({ opcode: 1, unique: 77n }, Buffer.from('a\0'));
    bytes.writeUInt32LE(length, 0);
    t.deepEqual(
      sink.raw(bytes).map(({ error, unique }) => [error, unique]),
      [[-22, 77n]],
    );
  }
  const tiny = requestBytes({ opcode: 1 });
  tiny.writeUInt32LE(15, 0);
  t.deepEqual(sink.raw(tiny), []);
});
