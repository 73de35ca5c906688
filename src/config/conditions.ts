// The conditions of `if`: comparisons of words and of whole numbers, and questions about files, `[ A = B ]`, `!=`, `-z`, `-n`,
// `-eq` and its like, `-f`, `-d`, `-e`, `-r`, `-s`, each with `!`, joined by && and ||.
import type { Token } from './shell-tokens.ts';
import { expandFields, NotUnderstood, type Variables } from './shell-words.ts';

/** What `[ -f PATH ]` asks. */
export type FileTest = '-f' | '-d' | '-e' | '-r' | '-s';
export type AskFile = (test: FileTest, path: string) => boolean;

const FILE_TESTS: ReadonlySet<string> = new Set<FileTest>(['-f', '-d', '-e', '-r', '-s']);
const COMPARISONS: ReadonlyMap<string, (difference: number) => boolean> = new Map([
  ['-eq', (difference: number) => difference === 0],
  ['-ne', (difference: number) => difference !== 0],
  ['-lt', (difference: number) => difference < 0],
  ['-le', (difference: number) => difference <= 0],
  ['-gt', (difference: number) => difference > 0],
  ['-ge', (difference: number) => difference >= 0],
]);

/** @throws NotUnderstood, unless what comes before decides already */
export function isTrue(condition: readonly Token[], variables: Variables, askFile?: AskFile): boolean {
  let result = true;
  let wanted = true;
  for (let at = 0; at <= condition.length; ) {
    let end = at;
    while (end < condition.length && condition[end].kind === 'word') end++;
    const words = condition.slice(at, end).map(({ text }) => text);
    // As in sh, both operators bind alike, from left to right.
    if (wanted) result = holds(words, variables, askFile);
    wanted = condition[end]?.kind === '||' ? !result : result;
    at = end + 1;
  }
  return result;
}

function holds(words: readonly string[], variables: Variables, askFile: AskFile | undefined): boolean {
  if (words[0] === '!') return !holds(words.slice(1), variables, askFile);
  if (words[0] !== '[' || words.at(-1) !== ']') throw new NotUnderstood();
  const inside = words.slice(1, -1);
  const negated = inside[0] === '!' && inside.length > 2;
  const result = compare(negated ? inside.slice(1) : inside, variables, askFile);
  // An error of sh stays one when it is negated.
  return result === undefined ? false : result !== negated;
}

/** undefined: an error in sh, as for a variable that vanishes or falls apart for want of quotes. */
function compare(inside: readonly string[], variables: Variables, askFile: AskFile | undefined): boolean | undefined {
  if (inside.length === 2) return unary(inside[0], expandFields(inside[1], variables), askFile);
  if (inside.length !== 3) throw new NotUnderstood();
  const operator = inside[1];
  const numbers = COMPARISONS.get(operator);
  if (!numbers && operator !== '=' && operator !== '==' && operator !== '!=') throw new NotUnderstood();
  const [left, right] = [expandFields(inside[0], variables), expandFields(inside[2], variables)];
  if (left.length !== 1 || right.length !== 1) return undefined;
  if (!numbers) return (left[0] === right[0]) === (operator !== '!=');
  if (![left[0], right[0]].every((text) => /^-?\d{1,15}$/.test(text))) return undefined;
  return numbers(Number(left[0]) - Number(right[0]));
}

function unary(operator: string, fields: readonly string[], askFile: AskFile | undefined): boolean | undefined {
  if (!(operator === '-z' || operator === '-n' || (askFile && isFileTest(operator)))) throw new NotUnderstood();
  // Nothing but the operator is left, which is not empty.
  if (fields.length === 0) return true;
  if (fields.length > 1) return undefined;
  if (isFileTest(operator)) return fields[0] !== '' && askFile?.(operator, fields[0]) === true;
  return (fields[0] === '') === (operator === '-z');
}

function isFileTest(operator: string): operator is FileTest {
  return FILE_TESTS.has(operator);
}
