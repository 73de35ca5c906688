// Which extended attributes are shown, and to whom (client.md §5.11).
import type { Parameters } from '../../config/parameters.ts';
import { type AttributeRules, DEFAULT_RULES, type Visibility } from '../../filesystem/xattrs/access-rules.ts';
import { innerGroupId } from '../../launcher/outer-user.ts';

export function attributeRules(parameters: Parameters, report: (message: string) => void): AttributeRules {
  const protectedNames = new Set(list(parameters, 'CVMFS_XATTR_PROTECTED_XATTRS'));
  if (protectedNames.size === 0) return { ...DEFAULT_RULES, visibility: visibility(parameters, report) };
  // Root may read everything; other groups as they are outside of our namespaces.
  const groups = [0, ...list(parameters, 'CVMFS_XATTR_PRIVILEGED_GIDS').map(Number).filter(Number.isInteger)];
  const privileged = groups.map(innerGroupId).filter((group) => group !== undefined);
  return { visibility: visibility(parameters, report), protectedNames, privilegedGroups: new Set(privileged) };
}

function visibility(parameters: Parameters, report: (message: string) => void): Visibility {
  const value = parameters.get('CVMFS_MAGIC_XATTRS_VISIBILITY')?.toLowerCase();
  if (value === 'never' || value === 'rootonly' || value === 'always') return value;
  if (value) report(`CVMFS_MAGIC_XATTRS_VISIBILITY=${value}: expected never, rootonly or always; left as it was`);
  const hidden = parameters.get('CVMFS_HIDE_MAGIC_XATTRS');
  if (!hidden) return DEFAULT_RULES.visibility;
  if (parameters.isOn('CVMFS_HIDE_MAGIC_XATTRS')) return 'never';
  return /^(no|off|0|false)$/i.test(hidden) ? 'always' : DEFAULT_RULES.visibility;
}

function list(parameters: Parameters, name: string): string[] {
  return (parameters.get(name) ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}
