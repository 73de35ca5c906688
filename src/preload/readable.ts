// Opens a cache that was filled to those who shall read it.
import { chmodSync, lstatSync, readdirSync } from 'node:fs';

export type Readers = 'group' | 'world';

const MODES: Readonly<Record<Readers, { readonly directory: number; readonly file: number }>> = {
  group: { directory: 0o750, file: 0o640 },
  world: { directory: 0o755, file: 0o644 },
};

/** The same for tar's --mode. */
export const TAR_MODES: Readonly<Record<Readers, string>> = { group: 'u=rwX,g=rX,o=', world: 'u=rwX,go=rX' };

/** Writing stays as it is for the group; others never may. Files that others made meanwhile are theirs to open. */
export function makeReadable(directory: string, readers: Readers): void {
  const modes = MODES[readers];
  open(directory, modes.directory);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (entry.isFile() && isPublic(entry.name)) open(path, modes.file);
    if (!entry.isDirectory() || !/^([0-9a-f]{2}|txn)$/.test(entry.name)) continue;
    open(path, modes.directory);
    if (entry.name !== 'txn') for (const name of readdirSync(path)) open(`${path}/${name}`, modes.file);
  }
}

function isPublic(name: string): boolean {
  return name === '.cvmfscache' || /^cvmfs[a-z]+\./.test(name);
}

function open(path: string, mode: number): void {
  const { mode: before, uid } = lstatSync(path);
  const wanted = (before & 0o7070) | mode;
  if ((before & 0o7777) !== wanted && (uid === process.geteuid?.() || process.geteuid?.() === 0))
    chmodSync(path, wanted);
}
