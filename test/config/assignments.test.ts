// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is sh
import test from 'ava';
import fc from 'fast-check';
import { parseAssignments } from '../../src/config/assignments.ts';

const NOTHING = { fixed: () => undefined, earlier: () => undefined };

function values(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const { assignments } = parseAssignments(text, { ...NOTHING, earlier: (name) => earlier[name] });
  return Object.fromEntries(assignments.map(({ name, value }) => [name, value]));
}

/** First and last lines of what was left out. */
function skipped(text: string): number[][] {
  return parseAssignments(text, NOTHING).skipped.map(({ first, last }) => [first, last]);
}

test('a value in single quotes comes back', (t) => {
  const value = fc.string({ unit: 'binary' }).filter((text) => !text.includes("'"));
  fc.assert(
    fc.property(value, (text) => values(`A='${text}'\nB=after`).A === text && values(`A='${text}'`).A === text),
  );
  t.pass();
});

test('a value in double quotes comes back when its special characters are escaped', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = text.replace(/["\\$`]/g, '\\$&');
      return values(`export A="${escaped}" # comment`).A === text;
    }),
  );
  t.pass();
});

test('no text crashes the parser, and lines that are left out are lines of the file', (t) => {
  const piece = fc.constantFrom(
    ...['if ', 'then ', 'else ', 'elif ', 'fi', 'A=', '[ ', ' ]', ' = ', '"', "'", '\\', '$A', '${A', ':-', '}', '$('],
    ...[
      '(',
      ')',
      '`',
      '\n',
      ';',
      '&&',
      '||',
      '|',
      '<<',
      '#',
      'for ',
      'do ',
      'done',
      'case ',
      'esac',
      '{ ',
      'return',
      ' ',
    ],
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join('');
      const lines = text.split('\n').length;
      return parseAssignments(text, NOTHING).skipped.every(
        ({ first, last }) => first >= 1 && first <= last && last <= lines,
      );
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('quotes, backslashes and comments are those of sh', (t) => {
  const text = [
    '# A=commented',
    'A=plain # comment',
    'B=a"b c"\'d $e\'\\ f',
    '  export C="x;y|z" ',
    'readonly D=d#no-comment',
    'E=',
    'F="line one',
    'line two"',
    'G=con\\',
    'tinued',
    'H=1 I=2; J=3\r',
  ].join('\n');
  const expected = { A: 'plain', B: 'ab cd $e f', C: 'x;y|z', D: 'd#no-comment', E: '', F: 'line one\nline two' };
  t.deepEqual(values(text), { ...expected, G: 'continued', H: '1', I: '2', J: '3' });
  t.deepEqual(skipped(text), []);
});

test('variables are those set before, here or in earlier files', (t) => {
  const text = 'A=$X-${Y}-$NONE; B="$A:${EMPTY:-e}${EMPTY-f}${NONE:-"g h"}${NONE-${X}}"\nexport A';
  t.deepEqual(values(text, { X: '1', Y: '2', EMPTY: '' }), { A: '1-2-', B: '1-2-:eg h1' });
});

test('${NAME:=value} also sets the variable', (t) => {
  t.deepEqual(values('export A=${A:=default}'), { A: 'default' });
  t.deepEqual(values('export A=${A:=default}', { A: 'chosen' }), { A: 'chosen' });
  t.deepEqual(values(': ${A:=x}\nB=$A'), { A: 'x', B: 'x' });
});

test('what cannot change keeps its value for the rest of the file', (t) => {
  const fixed = (name: string) => (name === 'A' ? 'fixed' : undefined);
  const { assignments } = parseAssignments('A=other\nB=$A', { ...NOTHING, fixed });
  t.is(assignments.find(({ name }) => name === 'B')?.value, 'fixed');
});

test('assignments know their line', (t) => {
  const { assignments } = parseAssignments('\nA="1\n2"\n\nB=\\\n3 C=4', NOTHING);
  t.deepEqual(
    assignments.map(({ name, line }) => [name, line]),
    [
      ['A', 2],
      ['B', 5],
      ['C', 6],
    ],
  );
});

test('return ends the file', (t) => {
  t.deepEqual(values('A=1\nif [ "" = "" ]; then\n  return 0\nfi\nA=2'), { A: '1' });
});

for (const [line, name] of Object.entries({
  'A=$(hostname)': 'a command substitution',
  'A=`hostname`': 'a command substitution in backticks',
  'A="$(echo "x;A=1")"': 'a command substitution with quotes in quotes',
  'A=$1': 'a positional parameter',
  'A=~/cache': 'a home directory',
  'A=1 program': 'an assignment for one program',
  'A=1 | cat': 'a pipeline',
  'A=1 &': 'a background command',
  'A=${B%x}': 'an expansion of another kind',
  '. /etc/other.conf': 'another file',
  '(A=1)': 'a subshell',
  'echo hello > file': 'a program',
  'test -f x && A=1': 'a list',
  "A='no end": 'a quote without an end',
})) {
  test(`${name} is left out, with its line, and the rest is read`, (t) => {
    t.deepEqual(values(`B=1\n${line}\nC=2`), { B: '1', C: '2' });
    t.deepEqual(skipped(`B=1\n${line}\nC=2`), [[2, 2]]);
  });
}

for (const [name, block] of Object.entries({
  'a loop': 'for x in a b; do\n  A=$x\ndone < /dev/null',
  'a loop with a loop inside': 'while read x\ndo for y in c\ndo A=1\ndone\nA=2\ndone',
  'a loop in a pipeline': 'cat file | while read x; do\n  A=$x\ndone',
  'a function': 'f() {\n  A=1\n}',
  'a function with the keyword': 'function f {\n  A=1\n}',
  'a case': 'case $B in\n  x) A=1 ;;\n  *) if [ "" = "" ]; then A=2; fi ;;\nesac',
  'a group': '{ A=1\nA=2\n}',
})) {
  test(`nothing inside ${name} is taken for a setting`, (t) => {
    t.deepEqual(values(`B=1\n${block}\nC=2`), { B: '1', C: '2' });
    t.deepEqual(skipped(`B=1\n${block}\nC=2`), [[2, 1 + block.split('\n').length]]);
  });
}

test('nothing behind a here-document or a block without an end is taken for a setting', (t) => {
  t.deepEqual(values('B=1\ncat <<END\nA=1\nEND\nC=2'), { B: '1' });
  t.deepEqual(values('B=1\nif [ "" = "" ]; then\nA=1\n'), { B: '1' });
  t.deepEqual(skipped('B=1\nif [ "" = "" ]; then\nA=1\n'), [[2, 3]]);
});
