// Whatever shows the tree of the big repository to a program.
export interface Contestant {
  readonly name: string;
  /** Directory of the tree as programs see it. */
  readonly root: string;
  /** `cache`: cold is an empty cache directory. `pages`: cold is an empty page cache. `image`: it is never cold. */
  readonly coldness: 'cache' | 'pages' | 'image';
  /** The words that run `command` with the tree shown. `cache` is the directory of its cache. */
  launch(command: readonly string[], cache: string, debug?: boolean): string[];
  /** Whether this is the command line of the process that serves the tree. */
  isServer?(words: readonly string[]): boolean;
  /** Whether this line of what it writes with `debug` tells of a request from the kernel that it could have spared. */
  isRequest?(line: string): boolean;
}

/** Where a contestant gets the repository from. */
export interface Source {
  readonly fqrn: string;
  /** The server's directory of repositories. */
  readonly url: string;
  readonly keysDirectory: string;
}
