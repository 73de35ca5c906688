// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is sh
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { parseAssignments } from '../../src/config/assignments.ts';
import type { AskFile } from '../../src/config/conditions.ts';

const NOTHING = { fixed: () => undefined, earlier: () => undefined };

const askFile: AskFile = (test, path) => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (test === '-f' || test === '-d') return found?.isDirectory() === (test === '-d');
  return found !== undefined && (test !== '-s' || found.size > 0);
};

/** Values at the end, and the lines that were left out, `first-last`. */
function run(text: string): { values: Record<string, string>; skipped: string[] } {
  const { assignments, skipped } = parseAssignments(text, { ...NOTHING, askFile });
  return {
    values: Object.fromEntries(assignments.map(({ name, value }) => [name, value])),
    skipped: skipped.map(({ first, last }) => `${first}-${last}`),
  };
}

/** Whether the condition holds. */
function holds(condition: string): boolean {
  const { values, skipped } = run(`E=; X=x; Y='y y'\nif ${condition}; then R=yes; else R=no; fi`);
  if (skipped.length > 0) throw new Error('left out');
  return values.R === 'yes';
}

for (const [condition, expected] of Object.entries({
  '[ "x$X" = "xx" ]': true,
  '[ "x$E" = "x" ]': true,
  '[ "$NONE" = "" ]': true,
  '[ "$X" != "" ]': true,
  '[ "$X" != x ]': false,
  '[ $X == x ]': true,
  "[ '$X' = x ]": false,
  '[ "${NONE:-x}" = "$X" ]': true,
  '[ "$Y" = "y y" ]': true,
  '[ -z "$E" ]': true,
  '[ -z "$X" ]': false,
  '[ -n "$X" ]': true,
  '[ -n "${NONE}" ]': false,
  '[ -n $NONE ]': true,
  '[ $NONE = x ]': false,
  '[ $NONE != x ]': false,
  '[ $Y = "y y" ]': false,
  '[ x"$Y" = x"y y" ]': true,
  "[ $X'' = x ]": true,
  '[ "$X" = a ] || [ "$X" = x ]': true,
  '[ "$X" = a ] && [ "$X" = x ]': false,
  '[ "$X" = a ] && grep -q x file || [ "$X" = x ]': true,
  '[ "$X" = x ] || grep -q x file': true,
  '! [ "$X" = x ]': false,
  '[ ! "$X" = x ]': false,
  '[ ! -n "$E" ]': true,
  '[ ! $Y = x ]': false,
  '! [ $Y = x ]': true,
  '[ "$((7 % 2))" -eq 1 ]': true,
  '[ "$X" -eq 1 ]': false,
  '[ 10 -gt 9 ] && [ -3 -le 3 ] && [ 07 -ne 8 ]': true,
  '[ -f /etc/passwd ]': true,
  '[ -f /etc ]': false,
  '[ -d /etc ] && [ -e /etc ] && [ -r /etc ] && [ -s /etc/passwd ]': true,
  '[ ! -f /etc/none ]': true,
  '[ -f "" ]': false,
  '[ -s /dev/null ]': false,
})) {
  test(`if ${condition} is ${expected}, as in sh`, (t) => {
    t.is(holds(condition), expected);
    const script = `E=; X=x; Y='y y'\nif ${condition.replace('==', '=')}; then exit 0; else exit 9; fi`;
    const { status } = spawnSync('/bin/sh', ['-c', script], { stdio: 'ignore' });
    t.is(status === 0, expected);
  });
}

for (const condition of [
  '[ -x /bin/sh ]',
  '[ a -nt b ]',
  'grep -q x y',
  '[ a = b -o a = a ]',
  '[[ a = a ]]',
  'true',
  '',
]) {
  test(`if ${condition} is more than is understood: the block is left out as a whole`, (t) => {
    const result = run(`A=1\nif ${condition}; then\n  A=2\nelse\n  A=3\nfi\nB=1`);
    t.deepEqual(result, { values: { A: '1', B: '1' }, skipped: ['2-6'] });
  });
}

test('arithmetic is that of sh', (t) => {
  const term = fc.oneof(fc.nat(99).map(String), fc.constantFrom('X', '$X', 'NONE'));
  const { sum } = fc.letrec<{ sum: string; factor: string }>((tie) => ({
    sum: fc
      .array(fc.tuple(fc.constantFrom('+', '-', '*', ' * ', ' - '), tie('factor')), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.map(([operator, text], i) => (i === 0 ? text : operator + text)).join('')),
    factor: fc.oneof(
      { maxDepth: 2 },
      term,
      tie('sum').map((text) => `(${text})`),
      term.map((text) => `- ${text}`),
    ),
  }));
  fc.assert(
    fc.property(fc.array(sum, { minLength: 1, maxLength: 50, size: 'max' }), (sums) => {
      const input = `X=5\n${sums.map((text) => `echo "$((${text}))"\n`).join('')}`;
      const { stdout } = spawnSync('/bin/sh', { input, encoding: 'utf8', env: {} });
      const ours = sums.map((text) => `${run(`X=5\nR=$((${text}))`).values.R}\n`);
      return stdout === ours.join('');
    }),
    { numRuns: 10 },
  );
  t.deepEqual(run('R=$((1 / 0))\nS=$((1 +))\nT=$((010))\nU=$((1 << 2))').skipped, ['1-1', '2-2', '3-3', '4-4']);
  t.true(Number(run('R=$((RANDOM % 2))').values.R) < 2);
});

test('of the branches, only the first whose condition holds is taken', (t) => {
  const block = (x: string) => `X=${x}
if [ "$X" = 1 ]
then A=one
elif [ "$X" = 2 ]; then
  A=two; B=2
elif [ "$X" = 2 ]; then A=never
else
  # neither
  A=other
fi`;
  t.deepEqual(run(block('1')), { values: { X: '1', A: 'one' }, skipped: [] });
  t.deepEqual(run(block('2')), { values: { X: '2', A: 'two', B: '2' }, skipped: [] });
  t.deepEqual(run(block('3')), { values: { X: '3', A: 'other' }, skipped: [] });
});

test('a command that is not understood takes its block along, but not the block around it', (t) => {
  const outer = (inner: string) => `if [ a = a ]; then\n  A=1\n${inner}\n  B=2\nfi\nC=3`;
  t.deepEqual(run(outer('  program')), { values: { C: '3' }, skipped: ['1-5'] });
  const inner = '  if [ b = b ]; then\n    D=1\n    program\n  fi';
  t.deepEqual(run(outer(inner)), { values: { A: '1', B: '2', C: '3' }, skipped: ['3-6'] });
});

test('a branch that is not taken may hold anything', (t) => {
  const text = 'if [ a = b ]; then\n  for x in y; do program; done | other\n  A=$(program)\nelse A=1; fi';
  t.deepEqual(run(text), { values: { A: '1' }, skipped: [] });
});

test('a block with more behind its fi is left out', (t) => {
  t.deepEqual(run('if [ a = a ]; then A=1; fi > /dev/null\nB=1'), { values: { B: '1' }, skipped: ['1-1'] });
});

test('any script of assignments and nested ifs leaves what sh leaves', (t) => {
  const name = fc.constantFrom('A', 'B', 'C');
  const word = fc.oneof(
    fc.constantFrom('x', '""', "'x y'", '"x  y"', '\\x', '"\\""'),
    name.map((variable) => `"$${variable}"`),
    name.map((variable) => `\${${variable}:-z}`),
    name.map((variable) => `"x\${${variable}-'}"`),
    name.map((variable) => `\${${variable}:=w}`),
  );
  const value = fc.oneof(
    word,
    name.map((variable) => `\${${variable}:="w v"}`),
    name.map((variable) => `x\${${variable}:-'y  y'}$B`),
  );
  const bracket = fc.oneof(
    fc.tuple(word, fc.constantFrom('=', '!='), word).map(([a, operator, b]) => `[ ${a} ${operator} ${b} ]`),
    fc.tuple(fc.constantFrom('-z', '-n'), word).map(([operator, a]) => `[ ${operator} ${a} ]`),
  );
  const condition = fc
    .array(fc.tuple(fc.constantFrom(' && ', ' || '), bracket), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.map(([operator, text], i) => (i === 0 ? text : operator + text)).join(''));
  const separator = fc.constantFrom('; ', '\n', ' # comment\n', '\n\n');
  const { script } = fc.letrec<{ script: string; command: string; block: string }>((tie) => ({
    script: fc
      .array(fc.tuple(tie('command'), separator), { minLength: 1, maxLength: 4 })
      .map((commands) => commands.flat().join('')),
    command: fc.oneof(
      { maxDepth: 3 },
      fc
        .tuple(fc.constantFrom('', 'export '), name, value)
        .map(([prefix, variable, text]) => `${prefix}${variable}=${text}`),
      tie('block'),
    ),
    block: fc
      .tuple(
        condition,
        separator,
        tie('script'),
        fc.option(fc.tuple(condition, tie('script'))),
        fc.option(tie('script')),
      )
      .map(
        ([first, gap, body, other, rest]) =>
          `if ${first}${gap}then ${body}${other ? `elif ${other[0]}; then ${other[1]}` : ''}${rest ? `else ${rest}` : ''}fi`,
      ),
  }));
  const results = (text: string): string => {
    const { values, skipped } = run(text);
    return `${values.A ?? ''}|${values.B ?? ''}|${values.C ?? ''}|${skipped}\n`;
  };
  fc.assert(
    // Many at once: starting a shell is what takes time.
    fc.property(fc.array(script, { minLength: 1, maxLength: 100, size: 'max' }), (scripts) => {
      const input = scripts.map((text) => `(${text}\nprintf '%s|%s|%s|\\n' "$A" "$B" "$C")\n`).join('');
      const { stdout } = spawnSync('/bin/sh', { input, encoding: 'utf8', env: {} });
      return stdout === scripts.map(results).join('');
    }),
    { numRuns: 15 },
  );
  t.pass();
});
