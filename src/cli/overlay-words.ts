// The words about overlays. What they ask for is made by the shell side (src/launcher/overlay/views.sh); here they are checked.
import { HINT, UsageError } from './usage-error.ts';

/** `REPO[/PATH][:DIR[:ro]]` */
export interface Overlay {
  readonly repository: string;
  /** Below the repository's root: '' or '/PATH'. */
  readonly path: string;
  /** Where changes are kept, as it was given; undefined: they are thrown away. */
  readonly directory: string | undefined;
  /** The changes kept there are shown, and cannot be added to. */
  readonly readOnly: boolean;
}

const ENGINES = ['auto', 'kernel', 'fuse'];

/** @throws UsageError */
export function parseOverlay(text: string): Overlay {
  const colon = text.indexOf(':');
  const place = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? undefined : text.slice(colon + 1);
  const readOnly = rest?.endsWith(':ro') ?? false;
  const directory = readOnly ? rest?.slice(0, -':ro'.length) : rest;
  const slash = place.indexOf('/');
  const repository = slash < 0 ? place : place.slice(0, slash);
  if (repository === '') {
    throw new UsageError(`--overlay ${text}: expected REPOSITORY[/PATH][:DIRECTORY[:ro]]; ${HINT}`);
  }
  if (directory === '' || directory === 'ro') {
    throw new UsageError(`--overlay ${text}: the directory that holds the changes is missing; ${HINT}`);
  }
  return { repository, path: slash < 0 ? '' : place.slice(slash), directory, readOnly };
}

/** @throws UsageError */
export function checkEngine(name: string): void {
  if (ENGINES.includes(name)) return;
  throw new UsageError(`--overlay-engine ${name}: expected ${ENGINES.join(', ')}; ${HINT}`);
}
