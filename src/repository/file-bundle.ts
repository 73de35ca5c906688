// File bundles (reference 2.14): `.cvmfsbundle-<name>` beside the file <name> lists what a program that opens it will need.
// JSON with the array "dependencies", whose strings are paths from the repository's root on, or relative to the directory
// of the bundle; lines that begin with `#` may stand before it.
import { RepositoryError, reasonOf } from './errors.ts';

const PREFIX = '.cvmfsbundle-';
/** Far above what is sensible; clients would only be kept busy. */
const MAX_DEPENDENCIES = 50_000;

/** Path of the bundle whose trigger is the file `name` in `directory`; undefined for a bundle itself. */
export function bundlePath(directory: string, name: string): string | undefined {
  return name.startsWith(PREFIX) ? undefined : `${directory}/${PREFIX}${name}`;
}

/**
 * Absolute paths of the files, in Latin-1.
 * @param directory where the bundle is
 * @throws RepositoryError BadBundle
 */
export function parseFileBundle(content: Buffer, directory: string): string[] {
  let bundle: unknown;
  try {
    bundle = JSON.parse(content.toString('utf8').replace(/^(?:#.*(?:\n|$))*/, ''));
  } catch (cause) {
    throw new RepositoryError('BadBundle', `it is no JSON: ${reasonOf(cause)}`, { cause });
  }
  const { dependencies } = (bundle ?? {}) as { dependencies?: unknown };
  if (!Array.isArray(dependencies)) throw new RepositoryError('BadBundle', 'it has no array "dependencies"');
  const paths = new Set<string>();
  for (const dependency of dependencies.slice(0, MAX_DEPENDENCIES)) {
    if (typeof dependency !== 'string' || dependency === '') continue;
    const path = Buffer.from(dependency, 'utf8').toString('latin1');
    paths.add(path.startsWith('/') ? path : `${directory}/${path.replace(/^\.\//, '')}`);
  }
  return [...paths];
}
