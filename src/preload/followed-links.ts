// The targets of links that are wanted, to be loaded in rounds: each round's targets may hold links to yet others.
import type { CatalogEntry } from '../repository/catalog.ts';
import { expandVariables } from '../repository/variant-symlink.ts';
import type { Guide, Wanted } from './guide.ts';
import { linkTarget } from './link-target.ts';
import { PathTree } from './path-tree.ts';

export class FollowedLinks {
  readonly #fqrn: string;
  readonly #variables: Readonly<Record<string, string | undefined>>;
  readonly #known = new Set<string>();
  #next = new PathTree();

  constructor(fqrn: string, variables: Readonly<Record<string, string | undefined>>) {
    this.#fqrn = fqrn;
    this.#variables = variables;
  }

  readonly add = (path: string, { symlink }: CatalogEntry, { content, below }: Wanted): void => {
    const target = linkTarget(this.#fqrn, path, expandVariables(symlink, this.#variables));
    if (target === undefined) return;
    if (content) this.#add(target);
    // It stands on the way to something.
    for (const rest of below?.rest?.() ?? []) this.#add(`${target}${rest}`);
  };

  /** What was added since the last time; undefined: nothing. */
  take(): Guide | undefined {
    if (this.#next.isEmpty) return undefined;
    const { guide } = this.#next;
    this.#next = new PathTree();
    return guide;
  }

  #add(path: string): void {
    if (this.#known.has(path)) return;
    this.#known.add(path);
    this.#next.addWhole(path);
  }
}
