// Patterns of repository names, as the shell's: `*` any number of characters, `?` one.

export type NameTest = (name: string) => boolean;

/** undefined for what is no such pattern. */
export function namePattern(pattern: string): NameTest | undefined {
  if (!/^[A-Za-z0-9._*?-]{1,255}$/.test(pattern)) return undefined;
  const source = pattern.replaceAll('.', '\\.').replace(/\*+/g, '.*').replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name);
}
