// Which extended attributes are listed, and who may read them (client.md §5.11).

/** Where magic attributes are listed; reading them by name works everywhere. */
export type Visibility = 'never' | 'rootonly' | 'always';

export interface AttributeRules {
  readonly visibility: Visibility;
  /** Full names that only privileged callers may read. */
  readonly protectedNames: ReadonlySet<string>;
  /** Primary groups of privileged callers, as ids of the mount's namespaces. */
  readonly privilegedGroups: ReadonlySet<number>;
}

export const DEFAULT_RULES: AttributeRules = {
  visibility: 'rootonly',
  protectedNames: new Set(),
  privilegedGroups: new Set(),
};

/** To everybody else it is as if there were no such attribute. */
export function mayRead(rules: AttributeRules, name: string, group: number): boolean {
  return !rules.protectedNames.has(name) || rules.privilegedGroups.has(group);
}
