// A tree for what overlays have to be good at: it is changed by the programs that compare overlays with a plain directory.
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names in the directory `many`. */
export const MANY = 3000;

const DIRECTORIES = 'text mode tree/deep/er many nested/inner odd c/kind-dir/in c/move/in c/move2/in'.split(' ');

export function writeOverlayTree(directory: string): void {
  const at = (path: string) => join(directory, path);
  for (const path of DIRECTORIES) mkdirSync(at(path), { recursive: true });
  writeFileSync(at('text/line'), 'line\n');
  writeFileSync(at('text/other'), 'other\n');
  symlinkSync('line', at('text/link'));
  writeFileSync(at('text/linked'), 'linked\n');
  linkSync(at('text/linked'), at('text/linked-too'));
  writeFileSync(at('mode/readable'), 'readable\n');
  chmodSync(at('mode/readable'), 0o444);
  writeFileSync(at('mode/program'), '#!/bin/sh\necho run\n');
  chmodSync(at('mode/program'), 0o755);
  for (const path of ['tree/one', 'tree/deep/two', 'tree/deep/er/three']) writeFileSync(at(path), `${path}\n`);
  const changed =
    'truncate middle unlink kind-file rename over entry entry2 link opened map unlinked xattr inode times mode lock';
  for (const name of changed.split(' ')) writeFileSync(at(`c/${name}`), `${name}${name}`);
  for (const name of ['kind-dir', 'move', 'move2']) writeFileSync(at(`c/${name}/in/file`), name);
  for (let i = 0; i < MANY; i++) writeFileSync(at(`many/${i}`), '');
  writeFileSync(at('nested/.cvmfscatalog'), '');
  writeFileSync(at('nested/inner/file'), 'nested\n');
  symlinkSync('nested/inner', at('way'));
  symlinkSync('/etc', at('away'));
  mkdirSync(at('odd/a:b,c \\d'));
  writeFileSync(at('odd/a:b,c \\d/file'), 'odd\n');
}
