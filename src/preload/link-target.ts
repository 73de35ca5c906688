// Where a symlink of a repository leads.

/**
 * The path in the same repository that a link at `path` leads to, without `.` and `..`; '' is the root. undefined: it leads
 * elsewhere. Links on the way are not looked at. All Latin-1; `target` with its variables expanded.
 */
export function linkTarget(fqrn: string, path: string, target: string): string | undefined {
  const mountpoint = `/cvmfs/${fqrn}`;
  const absolute = target.startsWith('/') ? target : `${mountpoint}${path.slice(0, path.lastIndexOf('/'))}/${target}`;
  const parts: string[] = [];
  for (const part of absolute.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const resolved = `/${parts.join('/')}`;
  if (resolved === mountpoint) return '';
  return resolved.startsWith(`${mountpoint}/`) ? resolved.slice(mountpoint.length) : undefined;
}
