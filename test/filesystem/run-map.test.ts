import test from 'ava';
import fc from 'fast-check';
import { RunMap, RunMapBuilder } from '../../src/filesystem/run-map.ts';

/** Ascending keys with values of their own, in stretches and with gaps. */
const pairs = fc
  .array(fc.record({ gap: fc.nat(3), jump: fc.nat(5), count: fc.integer({ min: 1, max: 9 }), block: fc.nat(1000) }), {
    maxLength: 40,
  })
  .map((stretches) => {
    const map = new Map<number, number>();
    let key = 0;
    stretches.forEach(({ gap, count, block }, i) => {
      key += gap + 1;
      // Values of one stretch are apart from those of all others.
      const start = ((block * 41 + i) % 1000) * 2 ** 32 + i * 100;
      for (let n = 0; n < count; n++) map.set(key++, start + n);
    });
    return map;
  });

test('every key has its value, nothing else has one, both ways and after it was written down', (t) => {
  fc.assert(
    fc.property(pairs, (map) => {
      const builder = new RunMapBuilder();
      for (const [key, value] of map) builder.add(key, value);
      const runs = new RunMap(JSON.parse(JSON.stringify(builder.build().triples())));
      const inverse = runs.inverse();
      for (const [key, value] of map) if (runs.get(key) !== value || inverse.get(value) !== key) return false;
      for (let key = -1; key < 300; key++) if (!map.has(key) && runs.get(key) !== -1) return false;
      return true;
    }),
  );
  t.pass();
});

test('neighbours take one run', (t) => {
  const builder = new RunMapBuilder();
  for (let i = 0; i < 1000; i++) builder.add(i, i + 2 ** 40);
  builder.add(1000, 5);
  t.is(builder.build().runs, 2);
});
