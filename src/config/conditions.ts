// The conditions of `if`: comparisons of words, `[ A = B ]`, `!=`, `-z`, `-n`, joined by && and ||.
import type { Token } from './shell-tokens.ts';
import { expandFields, NotUnderstood, type Variables } from './shell-words.ts';

/** @throws NotUnderstood, unless what comes before decides already */
export function isTrue(condition: readonly Token[], variables: Variables): boolean {
  let result = true;
  let wanted = true;
  for (let at = 0; at <= condition.length; ) {
    let end = at;
    while (end < condition.length && condition[end].kind === 'word') end++;
    // As in sh, both operators bind alike, from left to right.
    if (wanted)
      result = compare(
        condition.slice(at, end).map(({ text }) => text),
        variables,
      );
    wanted = condition[end]?.kind === '||' ? !result : result;
    at = end + 1;
  }
  return result;
}

function compare(words: readonly string[], variables: Variables): boolean {
  if (words[0] !== '[' || words.at(-1) !== ']') throw new NotUnderstood();
  const inside = words.slice(1, -1);
  if (inside.length === 2) {
    const empty = unary(inside[0]) === '-z';
    const fields = expandFields(inside[1], variables);
    // Nothing but the operator is left, which is not empty.
    if (fields.length === 0) return true;
    return fields.length === 1 && (fields[0] === '') === empty;
  }
  if (inside.length !== 3) throw new NotUnderstood();
  const equal = binary(inside[1]) === '=';
  const [left, right] = [expandFields(inside[0], variables), expandFields(inside[2], variables)];
  // A variable that vanishes or falls apart for want of quotes is an error in sh, and the condition does not hold.
  return left.length === 1 && right.length === 1 && (left[0] === right[0]) === equal;
}

function unary(operator: string): '-z' | '-n' {
  if (operator === '-z' || operator === '-n') return operator;
  throw new NotUnderstood();
}

function binary(operator: string): '=' | '!=' {
  if (operator === '=' || operator === '==') return '=';
  if (operator === '!=') return operator;
  throw new NotUnderstood();
}
