// A place that configuration files are read from: the machine's own directories, or a configuration repository.

/** Read-only files by path, absolute within the tree and without `.` and `..`. Symbolic links are followed. */
export interface FileTree {
  /** undefined: there is no such file. Throws what hinders reading, with a `code`. */
  read(path: string): Buffer | undefined;
  kind(path: string): 'file' | 'directory' | undefined;
  /** Names in a directory; none where there is no such directory. Throws what hinders reading, with a `code`. */
  list(path: string): string[];
  /** These will be read next: has them come together where they are far away. */
  prefetch?(paths: readonly string[]): void;
}
