import test from 'ava';
import fc from 'fast-check';
import { expandVariables } from '../../src/repository/variant-symlink.ts';

const VARIABLES = { A: 'x', E: '', N: '$(A)' };
const VECTORS: readonly [string, string][] = [
  ['/p/$(A)/q', '/p/x/q'],
  ['$(U)', ''],
  ['$(U:-dflt)/z', 'dflt/z'],
  ['$(E:-dflt)', ''],
  ['$(A', '$(A'],
  ['$A', '$A'],
  ['$$', '$$'],
  ['a$(', 'a$('],
  ['', ''],
  ['$()', ''],
  ['$(:-d)', 'd'],
  ['$(A)$(A)', 'xx'],
  ['$(U:-a:-b)', 'a:-b'],
  ['$(N)', '$(A)'],
  ['$(A)$(A', 'x$(A'],
  ['$(U:-$(A))', '$(A)'],
  ['$(toString)', ''],
  ['$(__proto__:-p)', 'p'],
];

for (const [raw, expanded] of VECTORS) {
  test(`${raw} becomes ${expanded || 'nothing'}`, (t) => {
    t.is(expandVariables(raw, VARIABLES), expanded);
  });
}

test('a target without $( stays as it is', (t) => {
  fc.assert(
    fc.property(fc.string(), (target) => {
      fc.pre(!target.includes('$('));
      t.is(expandVariables(target, VARIABLES), target);
    }),
  );
});

test('what is around a variable stays as it is', (t) => {
  const text = fc.stringMatching(/^[^$()]*$/);
  fc.assert(
    fc.property(text, text, (before, after) => {
      t.is(expandVariables(`${before}$(A)${after}`, VARIABLES), `${before}x${after}`);
    }),
  );
});
