// Variables in symlink targets: `$(NAME)` or `$(NAME:-default)`.

/**
 * Replaces them by `variables`, in one pass from left to right; what is defined wins over the default even if it is
 * empty, what is not defined and has no default is empty (client.md §3.10). Text and values: one byte a character.
 */
export function expandVariables(target: string, variables: Readonly<Record<string, string | undefined>>): string {
  let start = target.indexOf('$(');
  if (start < 0) return target;
  let result = '';
  let position = 0;
  for (; start >= 0; start = target.indexOf('$(', position)) {
    const end = target.indexOf(')', start + 2);
    if (end < 0) break;
    const text = target.slice(start + 2, end);
    const split = text.indexOf(':-');
    const name = split < 0 ? text : text.slice(0, split);
    const fallback = split < 0 ? '' : text.slice(split + 2);
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    result += target.slice(position, start) + (value ?? fallback);
    position = end + 1;
  }
  return result + target.slice(position);
}
