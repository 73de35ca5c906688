// What leads a walk through a tree: asked in each directory what of its children is wanted.

export interface Child {
  /** Absolute, Latin-1. */
  readonly path: string;
  readonly name: string;
  /** Not shown in listings, such as /.cvmfs with all the snapshots: wanted only where it is named. */
  readonly hidden: boolean;
}

/** Bytes of a file, from `offset` on. */
export interface Range {
  readonly offset: number;
  readonly size: number;
}

export interface Wanted {
  /** The content of a file: all of it, or what overlaps the ranges. undefined: only that the path is there. */
  readonly content?: 'all' | readonly Range[];
  /** What is wanted in a directory; undefined: not even its list. */
  readonly below?: Guide;
}

export interface Guide {
  /** The only names that matter, where that is known; undefined: every child has to be asked about. */
  readonly names?: () => Iterable<string>;
  /** Where the wanted paths are known by their names: those that are wanted as a whole, from this directory on. */
  readonly rest?: () => Iterable<string>;
  /** undefined: nothing is wanted of it. */
  readonly child: (child: Child) => Wanted | undefined;
}
