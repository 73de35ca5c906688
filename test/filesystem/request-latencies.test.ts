import test from 'ava';
import { RequestLatencies } from '../../src/filesystem/request-latencies.ts';
import { Opcode } from '../../src/fuse/opcodes.ts';

test('quantiles of what was noted, right to within five per cent, however long it took', (t) => {
  const latencies = new RequestLatencies();
  t.deepEqual(latencies.all(), []);
  // From a microsecond to a second, shuffled.
  for (let i = 0; i < 1000; i++) latencies.note(Opcode.READ, 0.001 * 1e6 ** (((i * 7) % 1000) / 999));
  latencies.note(Opcode.LOOKUP, 0);
  latencies.note(Opcode.LOOKUP, 1e12);
  const [lookup, read, ...more] = latencies.all();
  t.is(more.length, 0);
  t.like(lookup, { action: 'lookup', count: 2 });
  t.like(read, { action: 'read', count: 1000 });
  for (const part of [0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999]) {
    const exact = 1000 * 1e6 ** ((Math.ceil(part * 1000) - 1) / 999);
    const found = read.quantile(part);
    t.true(Math.abs(found / exact - 1) < 0.05, `${part}: ${found} for ${exact}`);
  }
  t.true(lookup.quantile(0.1) <= 2 && lookup.quantile(0.9) > 1e15);
});
