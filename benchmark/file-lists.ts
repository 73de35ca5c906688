// Lists of files that several rows read: the same for every contestant and on every machine with the same tree.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from './big-tree.ts';

export const RANDOM_FILES = 5000;
export const READERS = 8;
export const FILES_PER_READER = 1000;

export interface FileLists {
  /** Files with the paths, one a line, relative to the root of the tree. */
  readonly random: string;
  readonly readers: string;
}

export function writeFileLists(tree: string, smallFiles: string, directory: string): FileLists {
  const files = readdirSync(join(tree, smallFiles), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1))
    .sort();
  shuffle(files, 1);
  const lists = { random: join(directory, 'random-files'), readers: join(directory, 'readers-files') };
  const write = (file: string, first: number, count: number) => {
    writeFileSync(file, `${files.slice(first, first + count).join('\n')}\n`, { mode: 0o644 });
  };
  write(lists.random, 0, RANDOM_FILES);
  write(lists.readers, RANDOM_FILES, READERS * FILES_PER_READER);
  return lists;
}

function shuffle(words: string[], seed: number): void {
  const random = seededRandom(seed);
  for (let i = words.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [words[i], words[j]] = [words[j], words[i]];
  }
}
