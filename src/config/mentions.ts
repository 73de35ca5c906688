// Which variables a configuration file speaks of (client.md §8.2), whatever it does with them.

/** Everything that looks like an assignment, also behind conditions: the name to the last line it is in, from 1. */
export function mentionedNames(text: string): Map<string, number> {
  const names = new Map<string, number>();
  for (const [index, line] of text.split('\n').entries()) {
    for (const [, name] of line.matchAll(/(?:^|[\s;&|(){}])([A-Za-z_]\w*)=/g)) names.set(name, index + 1);
  }
  return names;
}

/** Names of the variables that it asks for. */
export function variablesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name]) => name));
}
