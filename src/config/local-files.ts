// The machine's own files as a tree.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { FileTree } from './file-tree.ts';
import { isMissing } from './files.ts';
import { onDisk } from './system-directory.ts';

export const localFiles: FileTree = {
  read: (path) => unlessMissing(() => readFileSync(onDisk(path))),
  list: (path) => unlessMissing(() => readdirSync(onDisk(path))) ?? [],
  kind(path) {
    const found = statOf(path);
    if (found?.isDirectory()) return 'directory';
    return found && 'file';
  },
};

function statOf(path: string) {
  try {
    return statSync(onDisk(path), { throwIfNoEntry: false });
  } catch {
    // in a directory that must not be entered
    return undefined;
  }
}

function unlessMissing<Value>(get: () => Value): Value | undefined {
  try {
    return get();
  } catch (error) {
    if (isMissing((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}
